import { driftMarker } from '../../src/comments/drift/drift-issue.ts';
import type { DriftIssue, IssueAction } from '../../src/core/drift/issue-action.ts';
import { HostRefusedError } from '../../src/core/host-error.ts';
import type { ReportIssue, ReportState } from '../../src/ports/report-store.ts';
import type { VcsHost } from '../../src/ports/vcs-host.ts';
import type { PublishKeeper } from '../keep-publishing.ts';
import type { RunContext } from '../run-context.ts';
import { publishIssueReply } from './publish-issue-reply.ts';
import type { WantedIssue } from './wanted-issues.ts';

export interface ReportPublication {
  readonly context: RunContext;
  readonly host: VcsHost;
  readonly state: ReportState;
  readonly keeper: PublishKeeper;
}

/** The host's answer to a write may be that the issue is gone, or somebody's doing that changes what is wanted. */
const LOOKS = 3;

type Change = Exclude<IssueAction, { kind: 'nothing' | 'open' }>;

/**
 * Brings one issue to what is wanted. The host is asked nothing while it is so already; before it is changed the host is asked how
 * it stands, for people close and delete issues, and no webhook may have told of it.
 */
export async function publishIssue(
  publication: ReportPublication,
  wanted: WantedIssue,
  known: ReportIssue | undefined,
): Promise<void> {
  let issue = known;
  // Nobody could find out whether it was made.
  if (issue?.state === 'posting') return;
  for (let look = 0; look < LOOKS; look += 1) {
    const hash = issue === undefined ? '' : (wanted.write?.(issue.id).hash ?? issue.hash ?? '');
    const action = wanted.decide(toDriftIssue(issue), hash);
    if (action.kind === 'nothing') return;
    if (issue === undefined || action.kind === 'open') return openIssue(publication, wanted);
    const now = await lookAt(publication, issue);
    if (now === 'unreachable') return;
    if (now !== issue) issue = now;
    else if (await change(publication, wanted, issue, action)) return;
    else issue = undefined;
  }
}

/** One that the host may have been asked for before a crash: it bears our marker, or was never made. */
export async function recoverIssue(
  { context, host, state }: ReportPublication,
  issue: ReportIssue,
): Promise<ReportIssue | undefined> {
  if (issue.state !== 'posting') return issue;
  const found = await host.findOwnIssue(state.repository, driftMarker(issue.id), issue.begunAt);
  if (found === undefined) {
    await context.reports.gone(issue.id);
    return undefined;
  }
  const { number, url, state: now } = found;
  const saved = { number, url, state: now, hash: undefined, fingerprint: undefined };
  await context.reports.saved(issue.id, saved, undefined);
  return { ...issue, ...saved };
}

function toDriftIssue(issue: ReportIssue | undefined): DriftIssue {
  if (issue?.state !== 'open' && issue?.state !== 'closed') return { state: 'none' };
  return { state: issue.state, byPeopleAt: issue.byPeopleAt, content: issue.hash ?? '' };
}

async function openIssue(publication: ReportPublication, { write, ...wanted }: WantedIssue): Promise<void> {
  const { context, host, state, keeper } = publication;
  // What was found is not at hand; the next check finds it again.
  if (write === undefined) return;
  const { repository, lease } = state;
  const issue = await context.reports.begin({ ...wanted, repositoryId: lease.id });
  const { hash, text, fingerprint } = write(issue.id);
  keeper.check();
  const created = await refusedAs(
    () => context.reports.gone(issue.id),
    () =>
      host.createIssue(repository, {
        ...text,
        labels: wanted.labels.filter((label) => label.length <= host.limits.labelLength),
        assignees: wanted.assignees.slice(0, host.limits.issueAssignees),
      }),
  );
  if (created.kind === 'disabled') {
    context.logger.warn({ repository: lease.id }, 'drift cannot be reported: the repository takes no issues');
    return context.reports.gone(issue.id);
  }
  await context.reports.saved(issue.id, { ...created, state: 'open', hash, fingerprint }, undefined);
  await context.counters.add('issue_writes', 'open', 1);
  if (created.unassigned.length > 0) {
    const { unassigned, number } = created;
    context.logger.info({ repository: lease.id, number, unassigned }, 'the host did not assign an issue to everybody');
  }
}

/** What was refused was not made. */
async function refusedAs<T>(forget: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HostRefusedError) await forget();
    throw error;
  }
}

/** How the issue stands at the host, written down; itself when that is how we know it, undefined when it is gone. */
async function lookAt(
  { context, host, state }: ReportPublication,
  issue: ReportIssue,
): Promise<ReportIssue | 'unreachable' | undefined> {
  if (issue.number === undefined) return undefined;
  const found = await host.getIssue(state.repository, issue.number);
  if (found.kind === 'disabled') return warnDisabled(context, issue);
  if (found.kind !== 'found') {
    await context.reports.gone(issue.id);
    return undefined;
  }
  if (found.issue.state === issue.state) return issue;
  const at = found.issue.closedAt ?? context.now();
  await context.reports.changedByPeople(issue.id, found.issue.state, at);
  return { ...issue, state: found.issue.state, byPeopleAt: at };
}

function warnDisabled({ logger }: RunContext, { repositoryId, number }: ReportIssue): 'unreachable' {
  logger.warn({ repository: repositoryId, number }, 'the repository takes no issues any more');
  return 'unreachable';
}

/** Answers whether it could be done; otherwise it is gone. */
async function change(
  publication: ReportPublication,
  { write }: WantedIssue,
  issue: ReportIssue,
  action: Change,
): Promise<boolean> {
  const { context, host, state, keeper } = publication;
  const { number, url } = issue;
  if (number === undefined || url === undefined) return false;
  const written = action.kind === 'close' ? undefined : write?.(issue.id);
  const changes = {
    ...written?.text,
    ...(action.kind === 'edit' ? {} : { state: action.kind === 'close' ? action.as : ('open' as const) }),
  };
  keeper.check();
  const updated = await host.updateIssue(state.repository, number, changes);
  if (updated.kind !== 'updated') {
    await context.reports.gone(issue.id);
    return false;
  }
  const open = action.kind !== 'close';
  const { hash, fingerprint } = written ?? issue;
  const saved = { number, url, state: open ? 'open' : 'closed', hash, fingerprint } as const;
  const sentence = action.kind === 'edit' ? undefined : action.sentence;
  const reply = await context.reports.saved(issue.id, saved, sentence);
  await context.counters.add('issue_writes', action.kind, 1);
  if (reply !== undefined) await publishIssueReply(publication, reply, 'report');
  return true;
}
