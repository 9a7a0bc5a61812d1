import { compileGlob } from '../../lib/glob.ts';
import { type Project, type ProjectKey, projectTitle } from '../project.ts';
import type { Repository } from '../repository.ts';
import type { DriftEvent, DriftNotification } from './notifications.ts';

/** Somebody outside who wants to be told. */
export interface NotificationReceiver {
  readonly name: string;
  /** Empty: of everything. */
  readonly events: readonly DriftEvent[];
  /** Globs of `host/owner/name`; empty: of every repository. */
  readonly repositories: readonly string[];
}

/** What is told, apart from who is told when; JSON as it is. */
export interface NotificationPayload {
  readonly event: DriftEvent;
  /** What happened; may hold what people wrote. */
  readonly sentence: string;
  readonly fingerprint: string | undefined;
  readonly repository: {
    readonly host: string;
    readonly id: string;
    /** `owner/name` */
    readonly name: string;
    readonly url: string;
  };
  readonly project: {
    readonly key: ProjectKey;
    readonly title: string;
    readonly dir: string;
    readonly workspace: string;
    readonly name: string | undefined;
  };
}

interface Subject {
  readonly repository: Repository;
  readonly project: { readonly key: ProjectKey; readonly project: Pick<Project, 'dir' | 'workspace' | 'name'> };
}

/** Which of the receivers want to know this, and what each is sent. */
export function addressTo(receivers: readonly NotificationReceiver[]) {
  const all = receivers.map((receiver) => ({ ...receiver, isAbout: matcher(receiver.repositories) }));
  return (notification: DriftNotification, about: Subject) => {
    const { host, owner, name } = about.repository;
    const payload = toPayload(notification, about);
    return all
      .filter(({ events }) => events.length === 0 || events.includes(notification.event))
      .filter(({ isAbout }) => isAbout(`${host}/${owner}/${name}`))
      .map((receiver) => ({ receiver: receiver.name, payload }));
  };
}

/** Hosts do not tell apart how a repository's name is capitalised, so neither does a pattern. */
function matcher(patterns: readonly string[]): (repository: string) => boolean {
  const globs = patterns.map((pattern) => compileGlob(pattern.toLowerCase()));
  return (repository) =>
    globs.length === 0 || globs.some((glob) => !('problem' in glob) && glob.matches(repository.toLowerCase()));
}

function toPayload(
  { event, sentence, fingerprint }: DriftNotification,
  { repository, project: { key, project } }: Subject,
): NotificationPayload {
  const { host, id, owner, name, url } = repository;
  const { dir, workspace } = project;
  return {
    event,
    sentence,
    fingerprint,
    repository: { host, id, name: `${owner}/${name}`, url },
    project: { key, title: projectTitle(project), dir, workspace, name: project.name },
  };
}
