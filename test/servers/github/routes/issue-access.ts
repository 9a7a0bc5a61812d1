import { ApiError, notFound } from '../http/api-error.ts';
import { acceptedHeader, mayApp, sees } from '../http/caller.ts';
import { needs, type RouteRequest, repositoryOf } from '../http/route.ts';
import type { Departed, Issue, PermissionLevel } from '../state/model.ts';
import { atLeast, roleOf } from '../state/permissions.ts';

/** Issues and pull requests share their conversation, so either permission opens the route; `issueOf` looks closer. */
export const READ_CONVERSATION = needs('read', { issues: 'read' }, { pull_requests: 'read' });
export const WRITE_CONVERSATION = needs('read', { issues: 'write' }, { pull_requests: 'write' });

/**
 * The issue or pull request the path names. One that was deleted is 410; one that was transferred is 301 for the issue
 * itself and 404 for its comments; to those who do not see the other repository both are 404.
 * Source: GitHub's "Get an issue" and "Create an issue comment".
 */
export function issueOf(request: RouteRequest, departed: 'redirect' | 'missing' = 'missing'): Issue {
  const repository = repositoryOf(request);
  const number = Number(request.params['issue_number']);
  const issue = repository.issues.get(number);
  if (issue === undefined) throw whereabouts(request, repository.departed.get(number), departed);
  assertIssues(request, issue);
  assertPermission(request, issue);
  return issue;
}

export function issuesDisabled(): ApiError {
  return new ApiError(410, 'Issues has been disabled in this repository.');
}

function assertIssues(request: RouteRequest, issue: Issue): void {
  if (issue.pull === undefined && !repositoryOf(request).hasIssues) throw issuesDisabled();
}

/** The permission for pull requests does not reach issues. */
export function assertPermission({ caller, method }: RouteRequest, issue: Issue): void {
  if (caller.kind !== 'installation' || issue.pull !== undefined) return;
  const level: PermissionLevel = method === 'GET' ? 'read' : 'write';
  const requirement = needs('read', { issues: level });
  if (mayApp(caller.grant, requirement)) return;
  if (level === 'read' && !issue.repository.private) return;
  const headers = { 'x-accepted-github-permissions': acceptedHeader(requirement) };
  throw new ApiError(403, 'Resource not accessible by integration', { headers });
}

function whereabouts(request: RouteRequest, trace: Departed | undefined, departed: 'redirect' | 'missing'): ApiError {
  if (trace === undefined) return notFound();
  if (trace.kind === 'deleted') return new ApiError(410, 'This issue was deleted');
  const { to } = trace;
  if (departed === 'missing' || !sees(request.caller, to.repository)) return notFound();
  const location = `${request.hub.urls.api}/repositories/${to.repository.id}/issues/${to.number}`;
  return new ApiError(301, 'Moved Permanently', { headers: { location } });
}

/** People with write permission, and Apps that got past the route. */
export function mayPush({ caller }: RouteRequest, issue: Pick<Issue, 'repository'>): boolean {
  if (caller.kind === 'installation') return true;
  return caller.kind === 'personal' && atLeast(roleOf(issue.repository, caller.account), 'write');
}

/**
 * Only people with write permission speak in a locked conversation. Apps do not, whatever they were granted: they are
 * reported to be refused (probot/stale#25, renovatebot/renovate#6215, actions/stale#51).
 */
export function assertUnlocked(request: RouteRequest, issue: Issue): void {
  const { caller } = request;
  if (issue.locked === undefined || (caller.kind === 'personal' && mayPush(request, issue))) return;
  throw new ApiError(403, 'Unable to create comment because issue is locked.');
}
