import { notFound, unprocessable } from '../http/api-error.ts';
import { accountOf, needs, type Route, type RouteRequest, repositoryOf } from '../http/route.ts';
import { branchMoved } from '../operations/branches.ts';
import type { BranchProtection, Repository } from '../state/model.ts';
import {
  type Commit,
  deleteRef,
  diffFiles,
  findRef,
  git,
  listCommits,
  mergeBase,
  patchOf,
  resolveCommit,
} from '../state/git-store.ts';
import { atLeast, legacyPermission, roleOf } from '../state/permissions.ts';
import { simpleUser } from '../views/accounts.ts';
import { activityView, commitView, fileView } from '../views/commits.ts';
import { fullRepositoryView } from '../views/repositories.ts';
import { repositoryApi, repositoryHtml } from '../views/urls.ts';

const COMPARE_FILES = 300;
const CONTENTS = needs('read', { contents: 'read' });

export async function commitOf(repository: Repository, name: string): Promise<Commit> {
  const sha = await resolveCommit(repository.gitDirectory, name);
  const [commit] = sha === undefined ? [] : await listCommits(repository.gitDirectory, sha, 1);
  if (commit === undefined)
    throw unprocessable({
      resource: 'Commit',
      field: 'sha',
      code: 'invalid',
      message: `No commit found for SHA: ${name}`,
    });
  return commit;
}

function roleFor(request: RouteRequest) {
  const { caller } = request;
  return caller.kind === 'personal' ? roleOf(repositoryOf(request), caller.account) : 'read';
}

async function comparison(request: RouteRequest) {
  const { hub, params } = request;
  const repository = repositoryOf(request);
  const [baseName = '', headName = ''] = (params['basehead'] ?? '').split('...');
  const directory = repository.gitDirectory;
  const [base, head] = [await resolveCommit(directory, baseName), await resolveCommit(directory, headName)];
  if (base === undefined || head === undefined) throw notFound();
  const common = (await mergeBase(directory, base, head)) ?? base;
  const count = async (range: string) => Number(await git(directory, ['rev-list', '--count', range]));
  const [ahead, behind] = [await count(`${base}..${head}`), await count(`${head}..${base}`)];
  const commits = await listCommits(directory, `${base}..${head}`, 250);
  const files = (await diffFiles(directory, base, head)).slice(0, COMPARE_FILES);
  const [baseCommit, commonCommit] = [await commitOf(repository, base), await commitOf(repository, common)];
  const html = `${repositoryHtml(hub.urls, repository)}/compare/${baseName}...${headName}`;
  const diverged = behind > 0 ? 'diverged' : 'ahead';
  const behindOnly = behind > 0 ? 'behind' : 'identical';
  return {
    url: `${repositoryApi(hub.urls, repository)}/compare/${baseName}...${headName}`,
    html_url: html,
    permalink_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    base_commit: commitView(hub.urls, hub.world, repository, baseCommit),
    merge_base_commit: commitView(hub.urls, hub.world, repository, commonCommit),
    status: ahead > 0 ? diverged : behindOnly,
    ahead_by: ahead,
    behind_by: behind,
    total_commits: ahead,
    commits: commits.toReversed().map((commit) => commitView(hub.urls, hub.world, repository, commit)),
    files: files.map((file) => fileView(hub.urls, repository, head, file, undefined)),
  };
}

function statusChecks(url: string, protection: BranchProtection) {
  return {
    url: `${url}/required_status_checks`,
    strict: protection.strict,
    contexts: protection.requiredChecks.map((check) => check.context),
    contexts_url: `${url}/required_status_checks/contexts`,
    checks: protection.requiredChecks.map((check) => ({ context: check.context, app_id: check.appId })),
  };
}

function protectionOf(request: RouteRequest): { url: string; protection: BranchProtection } {
  const repository = repositoryOf(request);
  const branch = request.params['branch'] ?? '';
  const protection = repository.protections.get(branch);
  if (protection === undefined) throw notFound();
  return { url: `${repositoryApi(request.hub.urls, repository)}/branches/${branch}/protection`, protection };
}

function protectionView(request: RouteRequest) {
  const { url, protection } = protectionOf(request);
  const reviews = {
    url: `${url}/required_pull_request_reviews`,
    dismiss_stale_reviews: protection.dismissStaleReviews,
    require_code_owner_reviews: false,
    required_approving_review_count: protection.requiredApprovals ?? 0,
    require_last_push_approval: false,
  };
  return {
    url,
    ...(protection.requiredChecks.length === 0 ? {} : { required_status_checks: statusChecks(url, protection) }),
    ...(protection.requiredApprovals === undefined ? {} : { required_pull_request_reviews: reviews }),
    enforce_admins: { url: `${url}/enforce_admins`, enabled: true },
  };
}

export const REPOSITORY_ROUTES: readonly Route[] = [
  {
    operation: 'repos/get',
    needs: needs('read', { metadata: 'read' }),
    handle: (request) => ({ body: fullRepositoryView(request.hub.urls, repositoryOf(request), roleFor(request)) }),
  },
  {
    operation: 'repos/get-collaborator-permission-level',
    needs: needs('read', { metadata: 'read' }),
    handle: (request) => {
      const repository = repositoryOf(request);
      const account = request.hub.world.findAccount(request.params['username'] ?? '');
      if (account === undefined || account.type !== 'User') throw notFound();
      const role = roleOf(repository, account);
      const permission = legacyPermission(role);
      const permissions = {
        pull: atLeast(role, 'read'),
        triage: atLeast(role, 'triage'),
        push: atLeast(role, 'write'),
        maintain: atLeast(role, 'maintain'),
        admin: role === 'admin',
      };
      return {
        body: {
          permission,
          role_name: role,
          user: { ...simpleUser(request.hub.urls, account), role_name: role, permissions },
        },
      };
    },
  },
  {
    operation: 'repos/get-branch',
    needs: CONTENTS,
    handle: async (request) => {
      const { hub } = request;
      const repository = repositoryOf(request);
      const name = request.params['branch'] ?? '';
      const sha = await findRef(repository.gitDirectory, `refs/heads/${name}`);
      if (sha === undefined) throw notFound();
      const api = `${repositoryApi(hub.urls, repository)}/branches/${name}`;
      const protection = repository.protections.get(name);
      return {
        body: {
          name,
          commit: commitView(hub.urls, hub.world, repository, await commitOf(repository, sha)),
          _links: { html: `${repositoryHtml(hub.urls, repository)}/tree/${name}`, self: api },
          protected: protection !== undefined,
          protection: { enabled: protection !== undefined },
          protection_url: `${api}/protection`,
        },
      };
    },
  },
  {
    operation: 'repos/get-branch-protection',
    needs: needs('admin', { administration: 'read' }),
    handle: (request) => ({ body: protectionView(request) }),
  },
  {
    operation: 'repos/get-status-checks-protection',
    needs: needs('admin', { administration: 'read' }),
    handle: (request) => {
      const { url, protection } = protectionOf(request);
      if (protection.requiredChecks.length === 0) throw notFound();
      return { body: statusChecks(url, protection) };
    },
  },
  {
    operation: 'repos/get-branch-rules',
    needs: needs('read', { metadata: 'read' }),
    handle: (request) => {
      const repository = repositoryOf(request);
      const list = repository.rules.filter((rule) => rule.branch === request.params['branch']);
      const origin = {
        ruleset_source_type: 'Repository',
        ruleset_source: `${repository.owner.login}/${repository.name}`,
        ruleset_id: 1,
      };
      return {
        list,
        show: ({ type, parameters }: (typeof list)[number]) => ({
          type,
          ...(parameters === undefined ? {} : { parameters }),
          ...origin,
        }),
      };
    },
  },
  {
    operation: 'repos/get-commit',
    needs: CONTENTS,
    handle: async (request) => {
      const { hub, params } = request;
      const repository = repositoryOf(request);
      const commit = await commitOf(repository, params['ref'] ?? '');
      const parent = commit.parents[0] ?? commit.sha;
      const files = await diffFiles(repository.gitDirectory, parent, commit.sha);
      const additions = files.reduce((sum, file) => sum + file.additions, 0);
      const deletions = files.reduce((sum, file) => sum + file.deletions, 0);
      const shown = await Promise.all(
        files
          .slice(0, COMPARE_FILES)
          .map(async (file) =>
            fileView(
              hub.urls,
              repository,
              commit.sha,
              file,
              await patchOf(repository.gitDirectory, parent, commit.sha, file.path),
            ),
          ),
      );
      const stats = { additions, deletions, total: additions + deletions };
      return { body: { ...commitView(hub.urls, hub.world, repository, commit), stats, files: shown } };
    },
  },
  {
    operation: 'repos/compare-commits-with-basehead',
    needs: CONTENTS,
    handle: async (request) => ({ body: await comparison(request) }),
  },
  {
    operation: 'repos/list-activities',
    needs: CONTENTS,
    handle: (request) => {
      const { ref, activity_type: type, actor } = request.query;
      const wanted = ref === undefined || ref.startsWith('refs/') ? ref : `refs/heads/${ref}`;
      const list = repositoryOf(request)
        .activities.toReversed()
        .filter(
          (one) =>
            (wanted === undefined || one.ref === wanted) &&
            (type === undefined || one.type === type) &&
            (actor === undefined || one.actor.login === actor),
        );
      return { list, show: (one: (typeof list)[number]) => activityView(request.hub.urls, one) };
    },
  },
  {
    operation: 'git/get-ref',
    needs: CONTENTS,
    handle: async (request) => {
      const repository = repositoryOf(request);
      const ref = `refs/${request.params['ref'] ?? ''}`;
      const sha = await findRef(repository.gitDirectory, ref);
      const exact =
        sha !== undefined &&
        (await git(repository.gitDirectory, ['for-each-ref', '--format=%(refname)', '--count=1', ref])) === ref;
      if (!exact) throw notFound();
      const api = repositoryApi(request.hub.urls, repository);
      const object = { sha, type: 'commit', url: `${api}/git/commits/${sha}` };
      return {
        body: { ref, node_id: `REF_${Buffer.from(ref).toString('base64url')}`, url: `${api}/git/${ref}`, object },
      };
    },
  },
  {
    operation: 'git/delete-ref',
    needs: needs('write', { contents: 'write' }),
    handle: async (request) => {
      const repository = repositoryOf(request);
      const name = (request.params['ref'] ?? '').replace(/^heads\//, '');
      const before = await findRef(repository.gitDirectory, `refs/heads/${name}`);
      if (before === undefined)
        throw unprocessable({
          resource: 'Reference',
          field: 'ref',
          code: 'invalid',
          message: 'Reference does not exist',
        });
      await deleteRef(repository.gitDirectory, `refs/heads/${name}`);
      await branchMoved(request.hub, repository, {
        branch: name,
        before,
        after: undefined,
        actor: accountOf(request.caller),
      });
      return { status: 204 };
    },
  },
];
