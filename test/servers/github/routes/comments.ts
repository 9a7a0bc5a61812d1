import { ApiError, notFound, unprocessable } from '../http/api-error.ts';
import { accountOf, authorOf, type Route, type RouteRequest, repositoryOf, text } from '../http/route.ts';
import { addComment, addReaction, editComment, removeComment } from '../operations/conversation.ts';
import type { IssueComment, Reaction } from '../state/model.ts';
import { atLeast, roleOf } from '../state/permissions.ts';
import { commentView, reactionView } from '../views/pulls.ts';
import {
  assertPermission,
  assertUnlocked,
  issueOf,
  READ_CONVERSATION as READ,
  WRITE_CONVERSATION as WRITE,
} from './issue-access.ts';
import { assertBody } from './pulls.ts';

function commentOf(request: RouteRequest): IssueComment {
  const repository = repositoryOf(request);
  const comment = repository.comments.get(Number(request.params['comment_id']));
  const issue = repository.issues.get(comment?.number ?? 0);
  if (comment === undefined || issue === undefined) throw notFound();
  assertPermission(request, issue);
  return comment;
}

function bodyOf(request: RouteRequest): string {
  const body = text(request, 'body') ?? '';
  if (body.trim() === '') throw unprocessable({ resource: 'IssueComment', field: 'body', code: 'missing_field' });
  assertBody('IssueComment', body);
  return body;
}

/** A comment may be changed by its author, and by people (not Apps) with write permission. */
function assertMayChange(request: RouteRequest, comment: IssueComment): void {
  const { caller } = request;
  const account = accountOf(caller);
  if (comment.author.id === account.id) return;
  if (caller.kind === 'personal' && atLeast(roleOf(repositoryOf(request), account), 'write')) return;
  throw new ApiError(
    403,
    caller.kind === 'installation' ? 'Resource not accessible by integration' : 'Must have admin rights to Repository.',
  );
}

function shower(request: RouteRequest) {
  const repository = repositoryOf(request);
  return (comment: IssueComment) => commentView(request.hub.urls, repository, comment);
}

/** `since` means last updated at or after; without `sort` the order is by id, and `direction` is ignored. */
function since(comments: readonly IssueComment[], query: Readonly<Record<string, string>>): IssueComment[] {
  const from = query['since'] === undefined ? 0 : Date.parse(query['since']);
  const kept = comments.filter((comment) => Math.floor(comment.updatedAt.getTime() / 1000) * 1000 >= from);
  const { sort, direction } = query;
  if (sort === undefined) return kept.toSorted((a, b) => a.id - b.id);
  const key = (comment: IssueComment) => (sort === 'updated' ? comment.updatedAt : comment.createdAt).getTime();
  const ascending = kept.toSorted((a, b) => key(a) - key(b) || a.id - b.id);
  return direction === 'desc' ? ascending.toReversed() : ascending;
}

export const COMMENT_ROUTES: readonly Route[] = [
  {
    operation: 'issues/list-comments',
    needs: READ,
    handle: (request) => {
      const issue = issueOf(request);
      const comments = [...repositoryOf(request).comments.values()].filter(
        (comment) => comment.number === issue.number,
      );
      const { since: from } = request.query;
      return { list: since(comments, from === undefined ? {} : { since: from }), show: shower(request) };
    },
  },
  {
    operation: 'issues/list-comments-for-repo',
    needs: READ,
    handle: (request) => ({
      list: since([...repositoryOf(request).comments.values()], request.query),
      show: shower(request),
    }),
  },
  {
    operation: 'issues/create-comment',
    needs: WRITE,
    createsContent: true,
    handle: (request) => {
      const issue = issueOf(request);
      assertUnlocked(request, issue);
      const body = bodyOf(request);
      const comment = addComment(request.hub, repositoryOf(request), issue, authorOf(request.caller), body);
      const view = shower(request)(comment);
      return { status: 201, body: view, headers: { location: view.url } };
    },
  },
  {
    operation: 'issues/get-comment',
    needs: READ,
    handle: (request) => ({ body: shower(request)(commentOf(request)) }),
  },
  {
    operation: 'issues/update-comment',
    needs: WRITE,
    createsContent: true,
    handle: (request) => {
      const comment = commentOf(request);
      assertMayChange(request, comment);
      editComment(request.hub, repositoryOf(request), comment, bodyOf(request), accountOf(request.caller));
      return { body: shower(request)(comment) };
    },
  },
  {
    operation: 'issues/delete-comment',
    needs: WRITE,
    handle: (request) => {
      const comment = commentOf(request);
      assertMayChange(request, comment);
      removeComment(request.hub, repositoryOf(request), comment, accountOf(request.caller));
      return { status: 204 };
    },
  },
  {
    operation: 'reactions/list-for-issue-comment',
    needs: READ,
    handle: (request) => {
      const { content } = request.query;
      const list = commentOf(request).reactions.filter((one) => content === undefined || one.content === content);
      return { list, show: (one: Reaction) => reactionView(request.hub.urls, one) };
    },
  },
  {
    operation: 'reactions/create-for-issue-comment',
    needs: WRITE,
    handle: (request) => {
      const { reaction, created } = addReaction(
        request.hub,
        commentOf(request),
        accountOf(request.caller),
        text(request, 'content') ?? '',
      );
      return { status: created ? 201 : 200, body: reactionView(request.hub.urls, reaction) };
    },
  },
];
