import { ApiError, unprocessable } from '../http/api-error.ts';
import { accountOf, needs, pullOf, type Route, type RouteRequest, repositoryOf, text } from '../http/route.ts';
import { addReview } from '../operations/conversation.ts';
import { askMergeable, mergeState, pullFigures } from '../operations/mergeability.ts';
import {
  closePull,
  editPull,
  type MergeMethod,
  mergePull,
  openPull,
  RefusedError,
  reopenPull,
  retargetPull,
} from '../operations/pulls.ts';
import type { PullRequest, ReviewState } from '../state/model.ts';
import { diffFiles, isAncestor, listCommits, patchOf } from '../state/git-store.ts';
import { atLeast, roleOf } from '../state/permissions.ts';
import { pullsOf } from '../state/world.ts';
import { commitView, fileView } from '../views/commits.ts';
import { pullListItem, pullView, reviewView } from '../views/pulls.ts';
import { commitOf } from './repositories.ts';

const READ = needs('read', { pull_requests: 'read' });
const MAX_FILES = 3_000;
export const MAX_BODY = 65_536;

async function detailed(request: RouteRequest, pull: PullRequest) {
  const mergeable = await askMergeable(request.hub, pull);
  const mergeableState = await mergeState(pull, mergeable);
  return pullView(request.hub.urls, pull, { ...(await pullFigures(pull)), mergeable, mergeableState });
}

function sorted(pulls: readonly PullRequest[], query: Readonly<Record<string, string>>): PullRequest[] {
  const by = query['sort'] ?? 'created';
  const key = (pull: PullRequest) => (by === 'updated' ? pull.issue.updatedAt : pull.issue.createdAt).getTime();
  const direction = query['direction'] ?? (query['sort'] === undefined || by === 'created' ? 'desc' : 'asc');
  const ascending = pulls.toSorted((a, b) => key(a) - key(b) || a.issue.number - b.issue.number);
  return direction === 'asc' ? ascending : ascending.toReversed();
}

function listPulls(request: RouteRequest): PullRequest[] {
  const { state = 'open', head, base } = request.query;
  const matches = (pull: PullRequest) =>
    (state === 'all' || pull.issue.state === state) &&
    (head === undefined || `${pull.headOwner.login}:${pull.headRef}` === head) &&
    (base === undefined || pull.baseRef === base);
  return sorted(pullsOf(repositoryOf(request)).filter(matches), request.query);
}

async function create(request: RouteRequest) {
  const { hub } = request;
  const repository = repositoryOf(request);
  const head = text(request, 'head') ?? '';
  const [owner, ref] = head.includes(':') ? (head.split(':', 2) as [string, string]) : [repository.owner.login, head];
  const title = text(request, 'title');
  const body = text(request, 'body') ?? null;
  if (title === undefined || title === '')
    throw unprocessable({ resource: 'PullRequest', field: 'title', code: 'missing_field' });
  assertBody('PullRequest', body ?? '');
  const fork = [...hub.world.repositories.values()].find(
    (one) => one.parent === repository && one.owner.login === owner && !one.deleted,
  );
  const headRepository = owner === repository.owner.login ? repository : fork;
  if (headRepository === undefined) throw unprocessable({ resource: 'PullRequest', field: 'head', code: 'invalid' });
  const author = accountOf(request.caller);
  const order = {
    title,
    body,
    author,
    headRepository,
    headRef: ref,
    baseRef: text(request, 'base') ?? '',
    draft: request.body['draft'] === true,
  };
  try {
    return await openPull(hub, repository, order);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const field = error.message;
    if (field === 'head' || field === 'base') throw unprocessable({ resource: 'PullRequest', field, code: 'invalid' });
    throw unprocessable({ resource: 'PullRequest', field: 'base', code: 'custom', message: field });
  }
}

export function assertBody(resource: string, body: string): void {
  if (body.length > MAX_BODY) {
    throw unprocessable({
      resource,
      field: 'body',
      code: 'custom',
      message: `body is too long (maximum is ${MAX_BODY} characters)`,
    });
  }
}

async function update(request: RouteRequest) {
  const { hub, body, caller } = request;
  const pull = pullOf(request);
  const by = accountOf(caller);
  const mine = caller.kind === 'personal' && pull.issue.author.id === by.id;
  if (caller.kind === 'personal' && !mine && !atLeast(roleOf(pull.repository, by), 'triage'))
    throw new ApiError(403, 'Must have write access to Repository.');
  const [title, text_, state, base] = [
    text(request, 'title'),
    text(request, 'body'),
    text(request, 'state'),
    text(request, 'base'),
  ];
  assertBody('PullRequest', text_ ?? '');
  await editPull(
    hub,
    pull,
    { ...(title === undefined ? {} : { title }), ...(body['body'] === undefined ? {} : { body: text_ ?? null }) },
    by,
  );
  if (base !== undefined && base !== pull.baseRef) await retargetPull(hub, pull, base, by);
  if (state === 'closed') await closePull(hub, pull, by);
  if (state === 'open') await reopenPull(hub, pull, by);
  return { body: await detailed(request, pull) };
}

const REVIEW_STATES: Readonly<Record<string, ReviewState>> = {
  APPROVE: 'APPROVED',
  REQUEST_CHANGES: 'CHANGES_REQUESTED',
  COMMENT: 'COMMENTED',
};

function review(request: RouteRequest) {
  const pull = pullOf(request);
  const author = accountOf(request.caller);
  const event = text(request, 'event');
  const state = event === undefined ? 'PENDING' : REVIEW_STATES[event];
  if (state === undefined) throw unprocessable({ resource: 'PullRequestReview', field: 'event', code: 'invalid' });
  const own = pull.issue.author.id === author.id;
  if (own && state !== 'COMMENTED')
    throw new ApiError(422, 'Unprocessable Entity', { errors: ['Can not approve your own pull request'] });
  const commitId = text(request, 'commit_id');
  const body = text(request, 'body') ?? '';
  const made = addReview(request.hub, pull, { author, state, body, ...(commitId === undefined ? {} : { commitId }) });
  return { body: reviewView(request.hub.urls, pull, made) };
}

async function merge(request: RouteRequest) {
  const pull = pullOf(request);
  const method = (text(request, 'merge_method') ?? 'merge') as MergeMethod;
  const [sha, title, message] = [text(request, 'sha'), text(request, 'commit_title'), text(request, 'commit_message')];
  const made = await mergePull(request.hub, pull, { by: accountOf(request.caller), method, sha, title, message });
  return { body: { sha: made, merged: true, message: 'Pull Request successfully merged' } };
}

export const PULL_ROUTES: readonly Route[] = [
  {
    operation: 'pulls/list',
    needs: READ,
    handle: (request) => ({
      list: listPulls(request),
      show: (pull: PullRequest) => pullListItem(request.hub.urls, pull),
    }),
  },
  {
    operation: 'pulls/get',
    needs: READ,
    handle: async (request) => ({ body: await detailed(request, pullOf(request)) }),
  },
  {
    operation: 'pulls/create',
    needs: needs('read', { pull_requests: 'write' }),
    createsContent: true,
    handle: async (request) => ({ status: 201, body: await detailed(request, await create(request)) }),
  },
  { operation: 'pulls/update', needs: needs('read', { pull_requests: 'write' }), handle: update },
  {
    operation: 'pulls/list-files',
    needs: READ,
    handle: async (request) => {
      const pull = pullOf(request);
      const directory = pull.repository.gitDirectory;
      const files = (
        await diffFiles(directory, pull.merged === undefined ? pull.baseSha : `${pull.merged.sha}^1`, pull.headSha)
      ).slice(0, MAX_FILES);
      const patches = new Map<string, string | undefined>();
      for (const file of files.slice(0, 30))
        patches.set(file.path, await patchOf(directory, pull.baseSha, pull.headSha, file.path));
      return {
        list: files,
        show: (file: (typeof files)[number]) =>
          fileView(request.hub.urls, pull.repository, pull.headSha, file, patches.get(file.path)),
      };
    },
  },
  {
    operation: 'pulls/list-commits',
    needs: READ,
    handle: async (request) => {
      const pull = pullOf(request);
      const commits = (
        await listCommits(pull.repository.gitDirectory, `${pull.baseSha}..${pull.headSha}`, 250)
      ).toReversed();
      return {
        list: commits,
        show: (commit: (typeof commits)[number]) =>
          commitView(request.hub.urls, request.hub.world, pull.repository, commit),
      };
    },
  },
  {
    operation: 'pulls/list-reviews',
    needs: READ,
    handle: (request) => {
      const pull = pullOf(request);
      return {
        list: pull.reviews,
        show: (one: (typeof pull.reviews)[number]) => reviewView(request.hub.urls, pull, one),
      };
    },
  },
  {
    operation: 'pulls/create-review',
    needs: needs('read', { pull_requests: 'write' }),
    createsContent: true,
    handle: review,
  },
  { operation: 'pulls/merge', needs: needs('write', { contents: 'write' }), handle: merge },
  {
    operation: 'repos/list-pull-requests-associated-with-commit',
    needs: READ,
    handle: async (request) => {
      const repository = repositoryOf(request);
      const commit = await commitOf(repository, request.params['commit_sha'] ?? '');
      const pulls = pullsOf(repository);
      const introduced = pulls.filter((pull) => pull.merged?.sha === commit.sha);
      const open = pulls.filter((pull) => pull.issue.state === 'open');
      const list: PullRequest[] = [...introduced];
      for (const pull of introduced.length > 0 ? [] : [...pulls.filter((one) => one.merged !== undefined), ...open]) {
        const inHead = await isAncestor(repository.gitDirectory, commit.sha, pull.headSha);
        const base = pull.merged === undefined ? pull.baseSha : `${pull.merged.sha}^1`;
        if (inHead && !(await isAncestor(repository.gitDirectory, commit.sha, base))) list.push(pull);
      }
      return { list, show: (pull: PullRequest) => pullListItem(request.hub.urls, pull) };
    },
  },
];
