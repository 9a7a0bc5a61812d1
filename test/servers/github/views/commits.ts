import type { Activity, CheckRun, CheckSuite, CommitStatus, PullRequest, Repository } from '../state/model.ts';
import type { ChangedFile, Commit } from '../state/git-store.ts';
import { pullsOf } from '../state/world.ts';
import type { World } from '../state/world.ts';
import { appView, simpleUser } from './accounts.ts';
import { minimalRepository } from './repositories.ts';
import { repositoryApi, repositoryHtml, type Urls, when } from './urls.ts';

export function statusView(urls: Urls, repository: Repository, status: CommitStatus) {
  return {
    url: `${repositoryApi(urls, repository)}/statuses/${status.sha}`,
    avatar_url: `${urls.html}/avatars/${status.creator.id}`,
    id: status.id,
    node_id: status.nodeId,
    state: status.state,
    description: status.description,
    target_url: status.targetUrl,
    context: status.context,
    created_at: when(status.createdAt),
    updated_at: when(status.createdAt),
    creator: simpleUser(urls, status.creator),
  };
}

/** The same pull request links GitHub puts into check runs: none for forks. */
export function checkPulls(urls: Urls, repository: Repository, sha: string) {
  return pullsOf(repository)
    .filter((pull) => pull.headSha === sha && pull.headRepository === repository && pull.issue.state === 'open')
    .map((pull) => pullLink(urls, pull));
}

function pullLink(urls: Urls, pull: PullRequest) {
  const { repository } = pull;
  const repo = { id: repository.id, url: repositoryApi(urls, repository), name: repository.name };
  return {
    url: `${repo.url}/pulls/${pull.issue.number}`,
    id: pull.id,
    number: pull.issue.number,
    head: { ref: pull.headRef, sha: pull.headSha, repo },
    base: { ref: pull.baseRef, sha: pull.baseSha, repo },
  };
}

export function checkRunView(urls: Urls, repository: Repository, run: CheckRun) {
  const url = `${repositoryApi(urls, repository)}/check-runs/${run.id}`;
  return {
    id: run.id,
    name: run.name,
    node_id: run.nodeId,
    head_sha: run.headSha,
    external_id: run.externalId,
    url,
    html_url: `${repositoryHtml(urls, repository)}/runs/${run.id}`,
    details_url: run.detailsUrl,
    status: run.status,
    conclusion: run.conclusion,
    started_at: when(run.startedAt),
    completed_at: run.completedAt === undefined ? null : when(run.completedAt),
    output: { ...run.output, annotations_count: 0, annotations_url: `${url}/annotations` },
    check_suite: { id: run.suite.id },
    app: appView(urls, run.app),
    pull_requests: checkPulls(urls, repository, run.headSha),
  };
}

export function suiteState(repository: Repository, suite: CheckSuite) {
  const runs = repository.checkRuns.filter((run) => run.suite === suite);
  const open = runs.find((run) => run.status !== 'completed');
  if (runs.length === 0) return { status: 'queued', conclusion: null, count: 0 };
  if (open !== undefined) return { status: open.status, conclusion: null, count: runs.length };
  const bad = runs.find((run) => !['success', 'neutral', 'skipped'].includes(run.conclusion ?? ''));
  return { status: 'completed', conclusion: bad?.conclusion ?? 'success', count: runs.length };
}

export function suiteView(urls: Urls, repository: Repository, suite: CheckSuite, head: Commit) {
  const url = `${repositoryApi(urls, repository)}/check-suites/${suite.id}`;
  const { status, conclusion, count } = suiteState(repository, suite);
  return {
    id: suite.id,
    node_id: suite.nodeId,
    head_branch: suite.headBranch,
    head_sha: suite.headSha,
    status,
    conclusion,
    url,
    before: head.parents[0] ?? '0'.repeat(40),
    after: suite.headSha,
    pull_requests: checkPulls(urls, repository, suite.headSha),
    app: appView(urls, suite.app),
    created_at: when(suite.createdAt),
    updated_at: when(suite.createdAt),
    head_commit: simpleCommit(head),
    latest_check_runs_count: count,
    check_runs_url: `${url}/check-runs`,
  };
}

export function simpleCommit(commit: Commit) {
  const person = { name: commit.author.name, email: commit.author.email };
  return {
    id: commit.sha,
    tree_id: commit.tree,
    message: commit.message,
    timestamp: commit.date,
    author: person,
    committer: person,
  };
}

export function commitView(urls: Urls, world: World, repository: Repository, commit: Commit) {
  const api = repositoryApi(urls, repository);
  const html = repositoryHtml(urls, repository);
  const account = [...world.accounts.values()].find((one) => one.email === commit.author.email);
  const user = account === undefined ? null : simpleUser(urls, account);
  const person = { ...commit.author, date: commit.date };
  return {
    url: `${api}/commits/${commit.sha}`,
    sha: commit.sha,
    node_id: `C_${Buffer.from(commit.sha).toString('base64url')}`,
    html_url: `${html}/commit/${commit.sha}`,
    comments_url: `${api}/commits/${commit.sha}/comments`,
    commit: {
      url: `${api}/git/commits/${commit.sha}`,
      author: person,
      committer: person,
      message: commit.message,
      tree: { sha: commit.tree, url: `${api}/git/trees/${commit.tree}` },
      comment_count: 0,
      verification: { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null },
    },
    author: user,
    committer: user,
    parents: commit.parents.map((sha) => ({ sha, url: `${api}/commits/${sha}`, html_url: `${html}/commit/${sha}` })),
  };
}

export function fileView(
  urls: Urls,
  repository: Repository,
  sha: string,
  file: ChangedFile,
  patch: string | undefined,
) {
  const path = file.path.split('/').map(encodeURIComponent).join('/');
  return {
    sha: file.blob,
    filename: file.path,
    status: file.status,
    additions: file.additions,
    deletions: file.deletions,
    changes: file.additions + file.deletions,
    blob_url: `${repositoryHtml(urls, repository)}/blob/${sha}/${path}`,
    raw_url: `${repositoryHtml(urls, repository)}/raw/${sha}/${path}`,
    contents_url: `${repositoryApi(urls, repository)}/contents/${path}?ref=${sha}`,
    ...(patch === undefined ? {} : { patch }),
    ...(file.previousPath === undefined ? {} : { previous_filename: file.previousPath }),
  };
}

export function activityView(urls: Urls, activity: Activity) {
  return {
    id: activity.id,
    node_id: activity.nodeId,
    before: activity.before,
    after: activity.after,
    ref: activity.ref,
    timestamp: when(activity.at),
    activity_type: activity.type,
    actor: simpleUser(urls, activity.actor),
  };
}

export function combinedStatusView(
  urls: Urls,
  repository: Repository,
  sha: string,
  latest: readonly CommitStatus[],
  page: readonly CommitStatus[],
) {
  return {
    state: combinedState(latest),
    statuses: page.map((status) => statusView(urls, repository, status)),
    sha,
    total_count: latest.length,
    repository: minimalRepository(urls, repository),
    commit_url: `${repositoryApi(urls, repository)}/commits/${sha}`,
    url: `${repositoryApi(urls, repository)}/commits/${sha}/status`,
  };
}

export function combinedState(latest: readonly CommitStatus[]): 'failure' | 'pending' | 'success' {
  if (latest.some((status) => status.state === 'failure' || status.state === 'error')) return 'failure';
  if (latest.length === 0 || latest.some((status) => status.state === 'pending')) return 'pending';
  return 'success';
}

/** Newest per context wins; contexts are compared without case. */
export function latestStatuses(repository: Repository, sha: string): CommitStatus[] {
  const latest = new Map<string, CommitStatus>();
  for (const status of repository.statuses) if (status.sha === sha) latest.set(status.context.toLowerCase(), status);
  return [...latest.values()];
}
