import { ApiError } from '../http/api-error.ts';
import { type RouteRequest, repositoryOf } from '../http/route.ts';
import type { Issue } from '../state/model.ts';

type Query = Readonly<Record<string, string>>;

/** Filters that GitHub has and this server does not: better refused than taken for met. */
const NOT_SERVED = ['milestone', 'mentioned', 'type', 'issue_field_values'];

function byPerson(query: Query): (issue: Issue) => boolean {
  const creator = query['creator']?.toLowerCase();
  const assignee = query['assignee']?.toLowerCase();
  return (issue) => {
    if (creator !== undefined && issue.author.login.toLowerCase() !== creator) return false;
    if (assignee === undefined) return true;
    if (assignee === 'none') return issue.assignees.length === 0;
    if (assignee === '*') return issue.assignees.length > 0;
    return issue.assignees.some((account) => account.login.toLowerCase() === assignee);
  };
}

/** An issue must have all of the labels. */
function byLabels(query: Query): (issue: Issue) => boolean {
  const wanted = (query['labels'] ?? '').split(',').filter((name) => name !== '');
  return ({ labels }) => {
    const names = labels.map((label) => label.name.toLowerCase());
    return wanted.every((name) => names.includes(name.toLowerCase()));
  };
}

/** Last updated at or after, in whole seconds. */
function bySince(query: Query): (issue: Issue) => boolean {
  const from = query['since'] === undefined ? 0 : Date.parse(query['since']);
  return (issue) => Math.floor(issue.updatedAt.getTime() / 1000) * 1000 >= from;
}

function sorted(issues: readonly Issue[], query: Query): Issue[] {
  const keys: Readonly<Record<string, (issue: Issue) => number>> = {
    created: (issue) => issue.createdAt.getTime(),
    updated: (issue) => issue.updatedAt.getTime(),
    comments: ({ repository, number }) =>
      [...repository.comments.values()].filter((comment) => comment.number === number).length,
  };
  const key = keys[query['sort'] ?? 'created'] ?? (() => 0);
  const ascending = issues.toSorted((a, b) => key(a) - key(b) || a.number - b.number);
  return query['direction'] === 'asc' ? ascending : ascending.toReversed();
}

/** Open ones, newest first, unless told otherwise; pull requests are among them, and alone where issues are off. */
export function listIssues(request: RouteRequest): Issue[] {
  const { query } = request;
  const odd = NOT_SERVED.find((name) => query[name] !== undefined);
  if (odd !== undefined) throw new ApiError(501, `The local GitHub server does not filter issues by ${odd}.`);
  const repository = repositoryOf(request);
  const { state = 'open' } = query;
  const rules = [byPerson(query), byLabels(query), bySince(query)];
  const matching = [...repository.issues.values()].filter(
    (issue) =>
      (state === 'all' || issue.state === state) &&
      (repository.hasIssues || issue.pull !== undefined) &&
      rules.every((rule) => rule(issue)),
  );
  return sorted(matching, query);
}
