import type { z } from 'zod';
import { InvalidDeliveryError } from '../../core/host-error.ts';
import type { Account } from '../../core/pull-request.ts';
import type { IssueEvent, PullRequestEvent, RepositoryEvent, VcsEvent } from '../../core/vcs-event.ts';
import type { Author } from './credentials.ts';
import {
  checkRunPayload,
  checkSuitePayload,
  issueCommentPayload,
  issuesPayload,
  pullRequestPayload,
  pullRequestReviewPayload,
  pushPayload,
  repositoryPayload,
} from './event-payloads.ts';
import type { UsedEvent } from './permissions.ts';
import { GHOST } from './pull-requests.ts';

/** Who we are, as far as events need it. */
export interface Ourselves {
  readonly appId: string | undefined;
  isOwn(author: Author): Promise<boolean>;
}

type Translate = (
  action: string | undefined,
  payload: unknown,
  ourselves: Ourselves,
) => VcsEvent | undefined | Promise<VcsEvent | undefined>;

function read<T>(schema: z.ZodType<T>, event: UsedEvent, payload: unknown): T {
  const result = schema.safeParse(payload);
  if (result.success) return result.data;
  const issues = result.error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.') || 'payload'}: ${issue.message}`);
  throw new InvalidDeliveryError(`a ${event} delivery lacks what it must have (${issues.join('; ')})`);
}

interface Parsed {
  readonly repository: { readonly id: string; readonly full_name: string };
  readonly sender?:
    | { readonly id: string; readonly login: string; readonly type?: string | undefined }
    | null
    | undefined;
}

function where(payload: Parsed) {
  return { repositoryId: payload.repository.id, repositoryFullName: payload.repository.full_name };
}

function sender(payload: Parsed): Account {
  return payload.sender ? { id: payload.sender.id, login: payload.sender.login } : GHOST;
}

const PULL_REQUEST_CHANGES: ReadonlyMap<string | undefined, PullRequestEvent['change']> = new Map([
  ['opened', 'opened'],
  ['reopened', 'reopened'],
  ['synchronize', 'synchronize'],
  ['ready_for_review', 'ready_for_review'],
  ['converted_to_draft', 'converted_to_draft'],
  ['edited', 'retargeted'],
  ['closed', 'closed'],
]);

const pullRequest: Translate = (action, raw) => {
  const change = PULL_REQUEST_CHANGES.get(action);
  if (!change) return undefined;
  const payload = read(pullRequestPayload, 'pull_request', raw);
  // An edited title or description changes nothing for us; another base does.
  if (change === 'retargeted' && !payload.changes?.base) return undefined;
  return {
    kind: 'pull_request',
    change,
    ...where(payload),
    number: payload.pull_request.number,
    sender: sender(payload),
  };
};

const issueComment: Translate = async (action, raw, ourselves) => {
  if (action !== 'created') return undefined;
  const payload = read(issueCommentPayload, 'issue_comment', raw);
  const { comment } = payload;
  const own = await ourselves.isOwn({
    userId: comment.user?.id,
    userType: comment.user?.type,
    appId: comment.performed_via_github_app?.id,
  });
  return {
    kind: payload.issue.pull_request ? 'comment' : 'issue_comment',
    ...where(payload),
    number: payload.issue.number,
    commentId: comment.id,
    commentNodeId: comment.node_id,
    body: comment.body,
    writtenAt: comment.created_at === undefined ? undefined : new Date(comment.created_at),
    author: comment.user ? { id: comment.user.id, login: comment.user.login } : GHOST,
    own,
  };
};

const ISSUE_CHANGES: ReadonlySet<string | undefined> = new Set<IssueEvent['change']>([
  'closed',
  'reopened',
  'deleted',
  'transferred',
  'locked',
  'unlocked',
]);

function isIssueChange(action: string | undefined): action is IssueEvent['change'] {
  return ISSUE_CHANGES.has(action);
}

/** GitHub sends these for issues only, never for pull requests. */
const issues: Translate = async (action, raw, ourselves) => {
  if (!isIssueChange(action)) return undefined;
  const payload = read(issuesPayload, 'issues', raw);
  const own = await ourselves.isOwn({
    userId: payload.sender?.id,
    userType: payload.sender?.type,
    appId: undefined,
  });
  const { number } = payload.issue;
  return { kind: 'issue', change: action, ...where(payload), number, sender: sender(payload), own };
};

const REVIEW_ACTIONS: ReadonlySet<string | undefined> = new Set(['submitted', 'dismissed', 'edited']);

const pullRequestReview: Translate = (action, raw) => {
  if (!REVIEW_ACTIONS.has(action)) return undefined;
  const payload = read(pullRequestReviewPayload, 'pull_request_review', raw);
  return { kind: 'review', ...where(payload), number: payload.pull_request.number, sender: sender(payload) };
};

/** Buttons and re-runs of other Apps' checks come to them, not to us; a repository's webhook may see all. */
const checkRun: Translate = (action, raw, ourselves) => {
  if (action !== 'requested_action' && action !== 'rerequested') return undefined;
  const payload = read(checkRunPayload, 'check_run', raw);
  const { check_run: run } = payload;
  if (ourselves.appId === undefined || run.app?.id !== ourselves.appId) return undefined;
  const batchId = run.external_id || undefined;
  if (action === 'rerequested') {
    return { kind: 'rerun', ...where(payload), headSha: run.head_sha, batchId, sender: sender(payload) };
  }
  const identifier = payload.requested_action?.identifier;
  if (!identifier || !batchId) {
    throw new InvalidDeliveryError('a check_run delivery says that a button was pressed, but not which or on what');
  }
  return { kind: 'button', ...where(payload), batchId, identifier, sender: sender(payload) };
};

const checkSuite: Translate = (action, raw, ourselves) => {
  if (action !== 'rerequested') return undefined;
  const payload = read(checkSuitePayload, 'check_suite', raw);
  const { check_suite: suite } = payload;
  if (ourselves.appId === undefined || suite.app?.id !== ourselves.appId) return undefined;
  return { kind: 'rerun', ...where(payload), headSha: suite.head_sha, batchId: undefined, sender: sender(payload) };
};

const BRANCH = 'refs/heads/';

const push: Translate = (_action, raw) => {
  const payload = read(pushPayload, 'push', raw);
  if (payload.deleted === true || !payload.ref.startsWith(BRANCH)) return undefined;
  return { kind: 'push', ...where(payload), branch: payload.ref.slice(BRANCH.length), sender: sender(payload) };
};

const REPOSITORY_CHANGES: ReadonlyMap<string | undefined, RepositoryEvent['change']> = new Map([
  ['renamed', 'renamed'],
  ['transferred', 'transferred'],
  ['archived', 'archived'],
  ['unarchived', 'unarchived'],
  ['deleted', 'deleted'],
  ['edited', 'default_branch'],
]);

const repository: Translate = (action, raw) => {
  const change = REPOSITORY_CHANGES.get(action);
  if (!change) return undefined;
  const payload = read(repositoryPayload, 'repository', raw);
  if (change === 'default_branch' && !payload.changes?.default_branch) return undefined;
  return { kind: 'repository', change, ...where(payload) };
};

/** One translation per event we subscribe to; an action that is none of our business gives undefined. */
export const translations: Readonly<Record<UsedEvent, Translate>> = {
  check_run: checkRun,
  check_suite: checkSuite,
  issue_comment: issueComment,
  issues,
  pull_request: pullRequest,
  pull_request_review: pullRequestReview,
  push,
  repository,
};
