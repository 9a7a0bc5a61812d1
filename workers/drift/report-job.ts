import { HostRefusedError, HostUnavailableError } from '../../src/core/host-error.ts';
import { RetryLaterError } from '../../src/ports/job-queue.ts';
import { MirrorError } from '../../src/ports/repository-mirror.ts';
import type { ReportIssue, ReportState } from '../../src/ports/report-store.ts';
import { repositoryName } from '../gather-pull-request.ts';
import { keepPublishing, PUBLISH_LEASE_MS, PublishingLostError } from '../keep-publishing.ts';
import { isAllowed } from '../open-pull-request.ts';
import type { RunContext } from '../run-context.ts';
import { publishIssueReactions, publishIssueReply } from './publish-issue-reply.ts';
import { publishIssue, recoverIssue, type ReportPublication } from './publish-issue.ts';
import { listWantedIssues } from './wanted-issues.ts';

/** A git server does not say when it will be back, milliseconds. */
const GIT_SERVER_AGAIN_MS = 15_000;

/**
 * Brings the issues of one repository to what is wanted, after what people wait for. Everything is compared with what was published
 * before, so a repeat asks the host nothing. While the host cannot be asked the job waits, for as long as it takes.
 */
export async function reportJob(context: RunContext, repositoryId: string): Promise<void> {
  const worker = { id: context.workerId, leaseMs: PUBLISH_LEASE_MS };
  const state = await context.reports.open(repositoryId, worker);
  if (state === undefined) return;
  const keeper = keepPublishing({ store: context.reports, logger: context.logger }, state.lease);
  let retryAt: Date | undefined;
  let done = false;
  try {
    await publish(context, state, keeper);
    done = true;
  } catch (error) {
    if (error instanceof PublishingLostError) return;
    retryAt = retryTime(context, error);
    if (retryAt === undefined) throw error;
    throw new RetryLaterError(messageOf(error), retryAt, { cause: error });
  } finally {
    keeper.stop();
    await giveBack(context, state, done, retryAt);
  }
  if (await context.reports.isWantedSince(repositoryId, state.wanted))
    await context.queue.enqueue('report', { repositoryId, when: 'now' });
}

/** undefined: it is not a matter of waiting. */
function retryTime({ now }: RunContext, error: unknown): Date | undefined {
  if (error instanceof HostUnavailableError) return error.retryAt;
  if (error instanceof MirrorError && error.kind === 'unavailable') {
    return new Date(now().getTime() + GIT_SERVER_AGAIN_MS);
  }
  return undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function giveBack(
  { reports, now }: RunContext,
  { lease, wanted }: ReportState,
  done: boolean,
  retryAt: Date | undefined,
): Promise<void> {
  if (retryAt === undefined) return reports.close(lease, done ? wanted : undefined);
  await reports.putOff(lease, wanted, Math.max(0, retryAt.getTime() - now().getTime()));
}

async function publish(context: RunContext, state: ReportState, keeper: ReportPublication['keeper']): Promise<void> {
  const host = context.hosts.get(state.repository.host);
  // A host that is not configured any more, or a repository that is not served any more, is none of our business.
  if (host === undefined || !isAllowed(context, repositoryName(state.repository))) return;
  const publication = { context, host, state, keeper };
  for (const reply of state.replies) await part(publication, 'an answer', () => publishIssueReply(publication, reply));
  await publishIssueReactions(publication);
  if (state.repository.archived) return;
  await publishIssues(publication);
}

async function publishIssues(publication: ReportPublication): Promise<void> {
  const { context, host, state } = publication;
  const issues: ReportIssue[] = [];
  for (const known of state.issues) {
    let issue: ReportIssue | undefined = known;
    await part(publication, known.projectKey ?? known.kind, async () => {
      issue = await recoverIssue(publication, known);
    });
    if (issue !== undefined) issues.push(issue);
  }
  for (const wanted of await listWantedIssues(context, host, { ...state, issues })) {
    const known = issues.find(({ kind, projectKey }) => kind === wanted.kind && projectKey === wanted.projectKey);
    await part(publication, wanted.projectKey ?? wanted.kind, () => publishIssue(publication, wanted, known));
  }
}

/** What the host refuses of one part is given up until something changes; the others are nevertheless published. */
async function part({ context, state }: ReportPublication, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof HostRefusedError)) throw error;
    context.logger.error(
      { repository: state.lease.id, part: what, error },
      'the host refused a part of what is reported of drift',
    );
  }
}
