import type { DriftIssueView } from '../../src/comments/drift/drift-view.ts';
import { openFindings } from '../drift/gather-remediation-facts.ts';
import type { OwnersReader } from '../drift/code-owners.ts';
import type { DriftProject } from '../../src/core/drift/drift-project.ts';
import { isFailing, isFlapping } from '../../src/core/drift/lifecycle.ts';
import { isSuspended } from '../../src/core/drift/skip.ts';
import type { StoredFindings } from '../../src/core/drift/stored-findings.ts';
import { projectTitle } from '../../src/core/project.ts';
import type { DriftProjectPage } from '../../src/ports/drift-store.ts';
import type { RunContext } from '../run-context.ts';
import { driftPageUrl } from './drift-page-url.ts';

/** What the report of a project says now, but for its id; undefined while what was found is not what is to be told of. */
export async function driftIssueView(
  context: RunContext,
  { project, repository, branch }: DriftProjectPage,
  ownersOf: OwnersReader,
): Promise<Omit<DriftIssueView, 'id'> | undefined> {
  const { drift } = project.state;
  const stored = readFindings(context, project);
  if (drift === undefined || stored?.findings.fingerprint !== drift.fingerprint) return undefined;
  const last = await context.reports.findLastApply(project.key);
  const [first = 'holdfast', ...others] = context.config.triggers;
  const { mode } = project.settings;
  return {
    triggers: [first, ...others],
    title: projectTitle(project.project),
    branch,
    findings: stored.findings,
    ignored: stored.ignored.length,
    fingerprint: drift.fingerprint,
    firstSeenAt: new Date(drift.firstSeenAt),
    lastSeen: { at: new Date(drift.lastSeenAt), sha: stored.sha },
    lastApply: last && {
      at: last.at,
      sha: last.sha,
      pull: last.pull && { pullNumber: last.pull.number, url: last.pull.url },
    },
    owners: await ownersOf({ repository, branch, sha: project.tip, dir: project.project.dir }),
    isFlapping: isFlapping(project.state),
    failingSince: failingSince(project),
    suspension: isSuspended(project.suspension, context.now()) ? project.suspension : undefined,
    remediation: mode === 'off' ? 'off' : project.project.applyRequirements.includes('approved') ? 'approved' : 'alone',
    pageUrl: driftPageUrl(context, project.key),
  };
}

/** undefined as well when they cannot be opened: they are sealed with a key that is lost, and the next check makes new ones. */
export function readFindings(context: RunContext, project: DriftProject): StoredFindings | undefined {
  try {
    return openFindings(context, project);
  } catch (error) {
    context.logger.warn({ project: project.key, error }, 'what was found of this project cannot be opened any more');
    return undefined;
  }
}

export function failingSince({ state, settings }: Pick<DriftProject, 'state' | 'settings'>): Date | undefined {
  return state.errors !== undefined && isFailing(state, settings) ? new Date(state.errors.since) : undefined;
}
