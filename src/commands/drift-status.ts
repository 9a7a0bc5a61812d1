import { isSuspended, suspensionText } from '../core/drift/skip.ts';
import type { DriftStanding } from '../core/drift/standing.ts';
import { describeDuration } from '../lib/duration.ts';
import type { ProjectOverview } from '../ports/drift-overview.ts';

/** What scripts ask, in the way of `terraform plan -detailed-exitcode`. */
export const EXIT = { inSync: 0, cannotTell: 1, drift: 2 } as const;

/** Nobody knows of these whether they drift. */
const NOT_KNOWN: readonly DriftStanding[] = ['error', 'unknown', 'never'];

/** Drift that somebody lives with counts as none; what nobody knows is never taken for good. */
export function exitCodeOf(projects: readonly Pick<ProjectOverview, 'standing' | 'health'>[]): number {
  if (projects.some(({ standing }) => standing === 'drift' || standing === 'unconfirmed')) return EXIT.drift;
  const isUncertain = ({ standing, health }: Pick<ProjectOverview, 'standing' | 'health'>) =>
    NOT_KNOWN.includes(standing) || health === 'failing' || health === 'overdue';
  return projects.some(isUncertain) ? EXIT.cannotTell : EXIT.inSync;
}

/** As it can be typed behind `holdfast drift status`. */
export function nameOf({ project: { project }, repository }: Pick<ProjectOverview, 'project' | 'repository'>): string {
  const workspace = project.workspace === 'default' ? [] : ['-w', shellWord(project.workspace)];
  const name = project.name === undefined ? [] : ['-p', shellWord(project.name)];
  const { host, owner, name: repositoryName } = repository;
  return [`${host}/${owner}/${repositoryName}`, shellWord(project.dir), ...workspace, ...name].join(' ');
}

/** One word for a shell, whatever is in it: what is offered here is pasted there. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** One project in a line, and what stands in the way of its checks below. */
export function statusLines(overview: ProjectOverview, now: Date): readonly string[] {
  const { project, standing, health, issue } = overview;
  const { lastSuccessAt, suspension, skip, state } = project;
  const age = (at: Date) => describeDuration(now.getTime() - at.getTime());
  const words = [
    lastSuccessAt === undefined ? 'not checked yet' : `checked ${age(lastSuccessAt)} ago`,
    ...(state.drift === undefined ? [] : [`fingerprint ${state.drift.fingerprint}`]),
    ...(issue?.open ? [issue.url] : []),
  ];
  const badges = `${inWords(standing).padEnd(16)}  ${inWords(health).padEnd(13)}`;
  const notes = isSuspended(suspension, now)
    ? [suspensionText(suspension, now)]
    : skip === undefined
      ? []
      : [`not checked for ${age(skip.since)}: ${skip.sentence}`];
  return [`${badges}  ${nameOf(overview)}  (${words.join(', ')})`, ...notes.map((note) => `    ${note}`)];
}

function inWords(name: string): string {
  return name.replaceAll('_', ' ');
}

/** For programs; what is added later changes nothing for those who read it. */
export function statusJson({ project, repository, branch, standing, health, issue }: ProjectOverview): object {
  const { dir, workspace, name } = project.project;
  return {
    repository: `${repository.host}/${repository.owner}/${repository.name}`,
    branch,
    dir,
    workspace,
    name: name ?? null,
    key: project.key,
    state: standing,
    checks: health,
    sync: project.sync,
    fingerprint: project.state.drift?.fingerprint ?? null,
    firstSeenAt: project.state.drift?.firstSeenAt ?? null,
    lastSeenAt: project.state.drift?.lastSeenAt ?? null,
    report: issue?.open ? issue.url : null,
    lastCheckAt: project.lastCheckAt ?? null,
    lastSuccessAt: project.lastSuccessAt ?? null,
    dueAt: project.due.dueAt ?? null,
    skip: project.skip ?? null,
    suspension: project.suspension ?? null,
  };
}
