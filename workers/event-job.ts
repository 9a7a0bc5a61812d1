import { HostRefusedError, HostUnavailableError, InvalidDeliveryError } from '../src/core/host-error.ts';
import type { VcsEvent } from '../src/core/vcs-event.ts';
import { RetryLaterError } from '../src/ports/job-queue.ts';
import { MirrorError } from '../src/ports/repository-mirror.ts';
import { OWN_DELIVERIES, type StoredDelivery } from '../src/ports/delivery-store.ts';
import type { VcsHost } from '../src/ports/vcs-host.ts';
import { JOBS } from '../src/jobs/job.ts';
import { handleIssueComment } from './drift/handle-issue-comment.ts';
import { handleIssueEvent } from './drift/handle-issue-event.ts';
import { ProjectRefusedError } from './project-refused-error.ts';
import type { RunContext } from './run-context.ts';
import { UnansweredCommandError } from './unanswered-command-error.ts';
import { handleButton, handleRerun } from './handle-button.ts';
import { handleComment } from './handle-comment.ts';
import { handleLockReceived } from './handle-lock-received.ts';
import { handlePullRequest } from './handle-pull-request.ts';
import { handlePush } from './handle-push.ts';
import { handleRepository } from './handle-repository.ts';
import { handleReview } from './handle-review.ts';

const LOCKED_OUT_AGAIN_MS = 60_000;
/** How long a delivery waits for access to be mended, milliseconds. */
const LOCKED_OUT_MS = 24 * 3600_000;
/** A git server does not say when it will be back, milliseconds. */
const GIT_SERVER_AGAIN_MS = 15_000;

/**
 * Handles one stored delivery. It may run twice for the same one: everything it writes is keyed by what happened.
 * A host that is down is waited for without counting an attempt; anything else is tried again a few times, then kept as failed.
 */
export async function eventJob(
  context: RunContext,
  hostName: string,
  deliveryId: string,
  attempt: number,
): Promise<void> {
  const delivery = await context.deliveries.find(hostName, deliveryId);
  if (delivery === undefined || delivery.state === 'handled') return;
  try {
    await handle(context, delivery);
    await context.deliveries.markHandled(hostName, deliveryId);
  } catch (thrown) {
    const error = thrown instanceof UnansweredCommandError ? thrown.cause : thrown;
    if (error instanceof RetryLaterError) throw error;
    if (error instanceof HostUnavailableError)
      throw new RetryLaterError(error.message, error.retryAt, { cause: error });
    if (error instanceof MirrorError && error.kind === 'unavailable') {
      const retryAt = new Date(context.now().getTime() + GIT_SERVER_AGAIN_MS);
      throw new RetryLaterError(error.message, retryAt, { cause: error });
    }
    if (isLockedOut(error) && context.now().getTime() - delivery.receivedAt.getTime() < LOCKED_OUT_MS) {
      const retryAt = new Date(context.now().getTime() + LOCKED_OUT_AGAIN_MS);
      throw new RetryLaterError(error.message, retryAt, { cause: error });
    }
    const hopeless = NO_USE_TO_TRY_AGAIN.some((kind) => error instanceof kind);
    const final = hopeless || attempt >= JOBS.event.attempts;
    if (final && thrown instanceof UnansweredCommandError) await thrown.tell();
    const message = error instanceof Error ? error.message : String(error);
    await context.deliveries.markFailed(hostName, deliveryId, message, final);
    context.logger.error({ delivery: deliveryId, event: delivery.event, error }, 'a delivery could not be handled');
    if (!final) throw error;
  }
}

const NO_USE_TO_TRY_AGAIN = [InvalidDeliveryError, HostRefusedError, ProjectRefusedError];

/** Our own access is at fault (a token that ran out, a permission not granted yet), which an operator can mend; the delivery is none the worse. */
function isLockedOut(error: unknown): error is HostRefusedError {
  return error instanceof HostRefusedError && (error.status === 401 || error.status === 403);
}

async function handle(context: RunContext, delivery: StoredDelivery): Promise<void> {
  if (delivery.host === OWN_DELIVERIES) return handleLockReceived(context, delivery);
  const host = context.hosts.get(delivery.host);
  if (host === undefined) throw new Error(`there is no VCS host ${delivery.host}`);
  const event = await host.interpret(delivery);
  if (event === undefined) return;
  await dispatch(context, host, event, delivery);
}

/**
 * What is done is keyed by what happened, not by the delivery, whose id the signature does not cover: whoever sends a signed body again
 * under a new one makes nothing happen twice. Reviews, issues, pushes and repositories only have facts read again.
 */
async function dispatch(
  context: RunContext,
  host: VcsHost,
  event: VcsEvent,
  { id, receivedAt }: StoredDelivery,
): Promise<void> {
  switch (event.kind) {
    case 'pull_request':
      return handlePullRequest(context, host, event);
    case 'comment':
      return handleComment(context, host, event, receivedAt);
    case 'issue_comment':
      return handleIssueComment(context, host, event, receivedAt);
    case 'issue':
      return handleIssueEvent(context, host, event);
    case 'review':
      return handleReview(context, host, event);
    case 'button':
      return handleButton(context, host, event);
    case 'rerun':
      return handleRerun(context, host, event, id);
    case 'push':
      return handlePush(context, host, event);
    case 'repository':
      return handleRepository(context, host, event);
  }
}
