import { ApiError, type FieldError, unprocessable } from '../http/api-error.ts';
import { accountOf, authorOf, needs, type Route, type RouteRequest, repositoryOf, text } from '../http/route.ts';
import {
  editIssue,
  ensureLabel,
  lockIssue,
  openIssue,
  setAssignees,
  setIssueState,
  setLabels,
  unlockIssue,
} from '../operations/issues.ts';
import { closePull, editPull, reopenPull } from '../operations/pulls.ts';
import type { Account, Issue, Label, LockReason, Repository, StateReason } from '../state/model.ts';
import { atLeast, roleOf } from '../state/permissions.ts';
import { issueView, labelView } from '../views/issues.ts';
import { issueOf, issuesDisabled, mayPush, READ_CONVERSATION, WRITE_CONVERSATION } from './issue-access.ts';
import { listIssues } from './list-issues.ts';
import { assertBody, MAX_BODY } from './pulls.ts';

const MAX_TITLE = 256;
const MAX_LABEL = 50;
const MAX_ASSIGNEES = 10;

/** A number is a title, too. */
function titleOf(request: RouteRequest): string | undefined {
  const title = request.body['title'];
  if (title === undefined || title === null) return undefined;
  const words = String(title).trim();
  if (words === '') throw unprocessable({ resource: 'Issue', field: 'title', code: 'missing_field' });
  if (words.length <= MAX_TITLE) return words;
  const message = `title is too long (maximum is ${MAX_TITLE} characters)`;
  throw unprocessable({ resource: 'Issue', field: 'title', code: 'custom', message });
}

/** Labels that do not exist are made. Of those who may not push they are dropped without a word. */
function labelsOf(request: RouteRequest, repository: Repository): Label[] | undefined {
  const wanted = request.body['labels'] as readonly (string | { name?: string })[] | undefined;
  if (wanted === undefined || !mayPush(request, { repository })) return undefined;
  const names = wanted.map((one) => (typeof one === 'string' ? one : (one.name ?? '')));
  const wrong = names.find((name) => name.trim() === '' || name.length > MAX_LABEL);
  if (wrong !== undefined) throw unprocessable(invalid('Label', 'name', wrong));
  return names.map((name) => ensureLabel(request.hub, repository, name));
}

function invalid(resource: string, field: string, value: unknown, message?: string): FieldError & { value: unknown } {
  return { value, resource, field, code: 'invalid', ...(message === undefined ? {} : { message }) };
}

/** Who can be assigned: those with a role of their own, and those who have spoken there. */
function assignable(repository: Repository, account: Account | undefined, issue: Issue | undefined): boolean {
  if (account?.type !== 'User') return false;
  const spoken = [...repository.comments.values()].some(
    (one) => one.number === issue?.number && one.author === account,
  );
  return spoken || atLeast(roleOf({ ...repository, private: true }, account), 'read');
}

/** One who cannot be assigned spoils the request; of those who may not push all are dropped without a word. */
function assigneesOf(request: RouteRequest, repository: Repository, issue?: Issue): Account[] | undefined {
  const { assignee } = request.body;
  const one = typeof assignee === 'string' ? [assignee] : undefined;
  const list = request.body['assignees'] as readonly (string | { login?: string })[] | undefined;
  const wanted = list?.map((each) => (typeof each === 'string' ? each : (each.login ?? ''))) ?? one;
  if (wanted === undefined || !mayPush(request, { repository })) return undefined;
  const found = wanted.map((login) => ({ login, account: request.hub.world.findAccount(login) }));
  const wrong = found.filter(({ account }) => !assignable(repository, account, issue)).map(({ login }) => login);
  if (wrong.length > 0) {
    const message = `assignees ${wrong.join(', ')} cannot be assigned to this issue`;
    throw unprocessable(invalid('Issue', 'assignees', wrong, message));
  }
  if (found.length > MAX_ASSIGNEES) throw unprocessable(invalid('Issue', 'assignees', wanted));
  return found.flatMap(({ account }) => account ?? []);
}

function create(request: RouteRequest): Issue {
  const repository = repositoryOf(request);
  if (!repository.hasIssues) throw issuesDisabled();
  const title = titleOf(request);
  if (title === undefined) throw unprocessable({ resource: 'Issue', field: 'title', code: 'missing_field' });
  const body = text(request, 'body') ?? null;
  assertBody('Issue', body ?? '');
  const assignees = assigneesOf(request, repository) ?? [];
  const labels = labelsOf(request, repository) ?? [];
  const { account, app } = authorOf(request.caller);
  return openIssue(request.hub, repository, { title, body, author: account, app, labels, assignees });
}

/** People with triage and Apps may, and so may its author. */
function assertMayEdit({ caller }: RouteRequest, issue: Issue): void {
  if (caller.kind === 'installation') return;
  const mine = caller.kind === 'personal' && caller.account === issue.author;
  if (mine || (caller.kind === 'personal' && atLeast(roleOf(issue.repository, caller.account), 'triage'))) return;
  throw new ApiError(403, 'Must have admin rights to Repository.');
}

/** An edit that is too long is reported to be answered 200 with the old body kept (objectstack-ai/objectstack#18793). */
function newBody(request: RouteRequest): string | null | undefined {
  const body = request.body['body'] as string | null | undefined;
  return (body?.length ?? 0) > MAX_BODY ? undefined : body;
}

async function update(request: RouteRequest): Promise<Issue> {
  const issue = issueOf(request, 'redirect');
  assertMayEdit(request, issue);
  const { hub } = request;
  const by = accountOf(request.caller);
  const title = titleOf(request);
  const assignees = assigneesOf(request, issue.repository, issue);
  const labels = labelsOf(request, issue.repository);
  const edit = { title, body: newBody(request) };
  if (issue.pull === undefined) editIssue(hub, issue, edit, by);
  else await editPull(hub, issue.pull, withoutUndefined(edit), by);
  if (labels !== undefined) setLabels(hub, issue, labels, by);
  if (assignees !== undefined) setAssignees(hub, issue, assignees, by);
  await changeState(request, issue, by);
  return issue;
}

function withoutUndefined({ title, body }: { title: string | undefined; body: string | null | undefined }) {
  return { ...(title === undefined ? {} : { title }), ...(body === undefined ? {} : { body }) };
}

async function changeState(request: RouteRequest, issue: Issue, by: Account): Promise<void> {
  const state = text(request, 'state') as Issue['state'] | undefined;
  if (state === undefined) return;
  const reason = text(request, 'state_reason') as StateReason | undefined;
  if (issue.pull === undefined) setIssueState(request.hub, issue, state, reason, by);
  else await (state === 'closed' ? closePull : reopenPull)(request.hub, issue.pull, by);
}

export const ISSUE_ROUTES: readonly Route[] = [
  {
    operation: 'issues/list-for-repo',
    needs: needs('read', { issues: 'read' }),
    handle: (request) => ({
      list: listIssues(request),
      show: (issue: Issue) => issueView(request.hub.urls, issue),
    }),
  },
  {
    operation: 'issues/create',
    needs: needs('read', { issues: 'write' }),
    createsContent: true,
    handle: (request) => {
      const view = issueView(request.hub.urls, create(request));
      return { status: 201, body: view, headers: { location: view.url } };
    },
  },
  {
    operation: 'issues/get',
    needs: READ_CONVERSATION,
    handle: (request) => ({ body: issueView(request.hub.urls, issueOf(request, 'redirect')) }),
  },
  {
    operation: 'issues/update',
    needs: WRITE_CONVERSATION,
    createsContent: true,
    handle: async (request) => ({ body: issueView(request.hub.urls, await update(request)) }),
  },
  {
    operation: 'issues/lock',
    needs: needs('write', { issues: 'write' }, { pull_requests: 'write' }),
    handle: (request) => {
      const reason = (text(request, 'lock_reason') ?? null) as LockReason | null;
      lockIssue(request.hub, issueOf(request), reason, accountOf(request.caller));
      return { status: 204 };
    },
  },
  {
    operation: 'issues/unlock',
    needs: needs('write', { issues: 'write' }, { pull_requests: 'write' }),
    handle: (request) => {
      unlockIssue(request.hub, issueOf(request), accountOf(request.caller));
      return { status: 204 };
    },
  },
  {
    operation: 'issues/list-labels-for-repo',
    needs: READ_CONVERSATION,
    handle: (request) => {
      const repository = repositoryOf(request);
      return { list: repository.labels, show: (label: Label) => labelView(request.hub.urls, repository, label) };
    },
  },
];
