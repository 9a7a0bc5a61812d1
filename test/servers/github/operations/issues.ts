import { announce, type Hub } from '../hub.ts';
import type { Account, App, Issue, IssueComment, Label, LockReason, Repository, StateReason } from '../state/model.ts';
import { fullName, touch } from '../state/world.ts';
import { simpleUser } from '../views/accounts.ts';
import { issueView, labelView } from '../views/issues.ts';
import { repositoryView } from '../views/repositories.ts';

/** The record of an issue, or of the issue that every pull request is; announces nothing. */
export function addIssue(
  hub: Hub,
  repository: Repository,
  order: { title: string; body: string | null; author: Account; app?: App | undefined },
): Issue {
  const id = hub.world.nextId();
  const now = new Date();
  const issue: Issue = {
    id,
    nodeId: hub.world.nodeId('I', id),
    repository,
    number: repository.nextNumber,
    title: order.title,
    body: order.body,
    author: order.author,
    app: order.app,
    state: 'open',
    stateReason: null,
    locked: undefined,
    createdAt: now,
    updatedAt: now,
    closedAt: undefined,
    closedBy: undefined,
    labels: [],
    assignees: [],
    pull: undefined,
  };
  repository.nextNumber += 1;
  repository.issues.set(issue.number, issue);
  return issue;
}

/** The repository's label of this name, made with GitHub's default colour when there is none. */
export function ensureLabel(hub: Hub, repository: Repository, name: string): Label {
  const known = repository.labels.find((label) => label.name.toLowerCase() === name.toLowerCase());
  if (known !== undefined) return known;
  const id = hub.world.nextId();
  const label: Label = { id, nodeId: hub.world.nodeId('LA', id), name, color: 'ededed' };
  repository.labels.push(label);
  return label;
}

export interface IssueOrder {
  readonly title: string;
  readonly body: string | null;
  readonly author: Account;
  /** Set when an App writes. */
  readonly app?: App | undefined;
  readonly labels?: readonly Label[];
  readonly assignees?: readonly Account[];
}

/** GitHub tells of the labels and assignees an issue is opened with one by one, after `opened`. */
export function openIssue(hub: Hub, repository: Repository, order: IssueOrder): Issue {
  const issue = addIssue(hub, repository, order);
  issue.labels = [...new Set(order.labels ?? [])];
  issue.assignees = [...new Set(order.assignees ?? [])];
  announceIssue(hub, issue, 'opened', order.author);
  for (const label of issue.labels) announceLabel(hub, issue, 'labeled', label, order.author);
  for (const assignee of issue.assignees) announceAssignee(hub, issue, 'assigned', assignee, order.author);
  return issue;
}

export function editIssue(
  hub: Hub,
  issue: Issue,
  edit: { title?: string | undefined; body?: string | null | undefined },
  by: Account,
): void {
  const changes: Record<string, { from: string }> = {};
  if (edit.title !== undefined && edit.title !== issue.title) {
    changes['title'] = { from: issue.title };
    issue.title = edit.title;
  }
  if (edit.body !== undefined && edit.body !== issue.body) {
    changes['body'] = { from: issue.body ?? '' };
    issue.body = edit.body;
  }
  if (Object.keys(changes).length === 0) return;
  touch(issue);
  announceIssue(hub, issue, 'edited', by, { changes });
}

/** The reason counts only when the state changes. */
export function setIssueState(
  hub: Hub,
  issue: Issue,
  state: Issue['state'],
  reason: StateReason | undefined,
  by: Account,
): void {
  if (issue.state === state) return;
  const closed = state === 'closed';
  issue.state = state;
  issue.stateReason = closed ? (reason ?? 'completed') : 'reopened';
  issue.closedAt = closed ? new Date() : undefined;
  issue.closedBy = closed ? by : undefined;
  touch(issue);
  announceIssue(hub, issue, closed ? 'closed' : 'reopened', by);
}

/** Replaces the whole set. */
export function setLabels(hub: Hub, issue: Issue, labels: readonly Label[], by: Account): void {
  const before = issue.labels;
  issue.labels = [...new Set(labels)];
  const gone = before.filter((label) => !issue.labels.includes(label));
  const added = issue.labels.filter((label) => !before.includes(label));
  if (gone.length + added.length === 0) return;
  touch(issue);
  for (const label of gone) announceLabel(hub, issue, 'unlabeled', label, by);
  for (const label of added) announceLabel(hub, issue, 'labeled', label, by);
}

/** Replaces the whole set. */
export function setAssignees(hub: Hub, issue: Issue, assignees: readonly Account[], by: Account): void {
  const before = issue.assignees;
  issue.assignees = [...new Set(assignees)];
  const gone = before.filter((account) => !issue.assignees.includes(account));
  const added = issue.assignees.filter((account) => !before.includes(account));
  if (gone.length + added.length === 0) return;
  touch(issue);
  for (const account of gone) announceAssignee(hub, issue, 'unassigned', account, by);
  for (const account of added) announceAssignee(hub, issue, 'assigned', account, by);
}

export function lockIssue(hub: Hub, issue: Issue, reason: LockReason | null, by: Account): void {
  issue.locked = { reason };
  announceIssue(hub, issue, 'locked', by);
}

export function unlockIssue(hub: Hub, issue: Issue, by: Account): void {
  issue.locked = undefined;
  announceIssue(hub, issue, 'unlocked', by);
}

/** GitHub has no REST call for it: administrators do it on the page. */
export function deleteIssue(hub: Hub, issue: Issue, by: Account): void {
  assertIsNoPull(issue);
  depart(issue);
  issue.repository.departed.set(issue.number, { kind: 'deleted' });
  announceIssue(hub, issue, 'deleted', by);
}

/**
 * To another repository of the same owner, and never from a private one to a public one. There it is a new issue with
 * a new number and the same comments; labels are kept where the other repository has one of the same name.
 * Source: GitHub's "Transferring an issue to another repository".
 */
export function transferIssue(hub: Hub, issue: Issue, to: Repository, by: Account): Issue {
  const from = issue.repository;
  assertIsNoPull(issue);
  if (from.owner !== to.owner) throw new Error('An issue stays with the owner of its repository.');
  if (from.private && !to.private) throw new Error('An issue of a private repository stays private.');
  const names = issue.labels.map((label) => label.name.toLowerCase());
  const moved = addIssue(hub, to, issue);
  moved.state = issue.state;
  moved.stateReason = issue.stateReason;
  moved.closedAt = issue.closedAt;
  moved.closedBy = issue.closedBy;
  moved.locked = issue.locked;
  moved.labels = to.labels.filter((label) => names.includes(label.name.toLowerCase()));
  moved.assignees = issue.assignees;
  for (const comment of depart(issue)) to.comments.set(comment.id, { ...comment, number: moved.number });
  from.departed.set(issue.number, { kind: 'transferred', to: moved });
  const [oldView, newView] = [issueView(hub.urls, issue), issueView(hub.urls, moved)];
  const changes = { new_issue: newView, new_repository: repositoryView(hub.urls, to) };
  announce(hub, 'issues', from, by, { action: 'transferred', issue: oldView, changes });
  const origin = { old_issue: oldView, old_repository: repositoryView(hub.urls, from) };
  announce(hub, 'issues', to, by, { action: 'opened', issue: newView, changes: origin });
  return moved;
}

function assertIsNoPull({ pull, repository, number }: Issue): void {
  if (pull !== undefined) throw new Error(`${fullName(repository)}#${number} is a pull request; those stay.`);
}

/** Takes the issue and its comments out of its repository; returns the comments. */
function depart(issue: Issue): IssueComment[] {
  const { repository, number } = issue;
  repository.issues.delete(number);
  const comments = [...repository.comments.values()].filter((comment) => comment.number === number);
  for (const comment of comments) repository.comments.delete(comment.id);
  return comments;
}

function announceIssue(hub: Hub, issue: Issue, action: string, by: Account, more = {}): void {
  announce(hub, 'issues', issue.repository, by, { action, issue: issueView(hub.urls, issue), ...more });
}

function announceLabel(hub: Hub, issue: Issue, action: string, label: Label, by: Account): void {
  announceIssue(hub, issue, action, by, { label: labelView(hub.urls, issue.repository, label) });
}

function announceAssignee(hub: Hub, issue: Issue, action: string, assignee: Account, by: Account): void {
  announceIssue(hub, issue, action, by, { assignee: simpleUser(hub.urls, assignee) });
}
