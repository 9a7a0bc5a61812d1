import { type Caller, grantCovers, mayApp, sees } from '../http/caller.ts';
import { needs } from '../http/route.ts';
import type { Hub } from '../hub.ts';
import { askMergeable, latestOpinions, mergeState, pullFigures, reviewDecision } from '../operations/mergeability.ts';
import type { Account, Issue, IssueComment, PullRequest, Repository, Review } from '../state/model.ts';
import { diffFiles, findRef, listCommits } from '../state/git-store.ts';
import { atLeast, roleOf } from '../state/permissions.ts';
import { fullName, pullsOf, stateOf } from '../state/world.ts';
import { authorAssociation } from '../views/issues.ts';
import { repositoryHtml, when } from '../views/urls.ts';
import { commitNode, protectionNode } from './check-nodes.ts';
import { connection, graphqlError } from './connection.ts';

/**
 * The state as the published GraphQL schema names it. An object holds a field's value, or a function of its arguments;
 * a field of the schema that is missing here is an error that the test sees.
 */
export class Nodes {
  readonly #hub: Hub;
  readonly #caller: Caller;
  readonly #asked = new Map<PullRequest, Promise<boolean | null>>();

  constructor(hub: Hub, caller: Caller) {
    this.#hub = hub;
    this.#caller = caller;
  }

  account(account: Account) {
    const { urls } = this.#hub;
    return {
      __typename: account.type,
      id: account.nodeId,
      databaseId: account.id,
      login: account.type === 'Bot' ? account.login.replace('[bot]', '') : account.login,
      name: account.name,
      email: account.email,
      url: `${urls.html}/${account.login}`,
      resourcePath: `/${account.login}`,
      avatarUrl: `${urls.html}/avatars/${account.id}`,
    };
  }

  repository(repository: Repository) {
    const pulls = pullsOf(repository);
    return {
      __typename: 'Repository',
      id: repository.nodeId,
      databaseId: repository.id,
      name: repository.name,
      nameWithOwner: fullName(repository),
      owner: () => this.account(repository.owner),
      url: repositoryHtml(this.#hub.urls, repository),
      isPrivate: repository.private,
      isArchived: repository.archived,
      isFork: repository.parent !== undefined,
      isDisabled: false,
      autoMergeAllowed: false,
      mergeCommitAllowed: true,
      squashMergeAllowed: true,
      rebaseMergeAllowed: true,
      viewerPermission: () => this.#viewerPermission(repository),
      defaultBranchRef: () => this.ref(repository, repository.defaultBranch),
      ref: ({ qualifiedName }: { qualifiedName: string }) =>
        this.ref(repository, qualifiedName.replace('refs/heads/', '')),
      pullRequest: ({ number }: { number: number }) => {
        const pull = repository.issues.get(number)?.pull;
        if (pull === undefined)
          throw graphqlError('NOT_FOUND', `Could not resolve to a PullRequest with the number of ${number}.`);
        return this.pull(pull);
      },
      pullRequests: (args: { states?: string[]; first?: number; last?: number; after?: string }) => {
        const wanted = pulls.filter(
          (pull) =>
            args.states === undefined || args.states === null || args.states.includes(stateOf(pull).toUpperCase()),
        );
        return connection('pullRequests', wanted, (pull) => this.pull(pull))(args);
      },
    };
  }

  async ref(repository: Repository, branch: string) {
    const oid = await findRef(repository.gitDirectory, `refs/heads/${branch}`);
    if (oid === undefined) return null;
    return {
      __typename: 'Ref',
      id: `REF_${Buffer.from(branch).toString('base64url')}`,
      name: branch,
      prefix: 'refs/heads/',
      target: { __typename: 'Commit', oid, id: `C_${oid}` },
      branchProtectionRule: () => this.#protection(repository, branch),
    };
  }

  pull(pull: PullRequest) {
    const { issue, repository } = pull;
    const url = `${repositoryHtml(this.#hub.urls, repository)}/pull/${issue.number}`;
    const comments = [...repository.comments.values()].filter((comment) => comment.number === issue.number);
    return {
      __typename: 'PullRequest',
      id: pull.nodeId,
      databaseId: pull.id,
      fullDatabaseId: String(pull.id),
      number: issue.number,
      title: issue.title,
      body: issue.body ?? '',
      url,
      state: stateOf(pull).toUpperCase(),
      isDraft: pull.draft,
      closed: issue.state === 'closed',
      merged: pull.merged !== undefined,
      mergedAt: pull.merged === undefined ? null : when(pull.merged.at),
      mergedBy: () => (pull.merged === undefined ? null : this.account(pull.merged.by)),
      createdAt: when(issue.createdAt),
      updatedAt: when(issue.updatedAt),
      author: () => this.account(issue.author),
      authorAssociation: authorAssociation(repository, issue.author),
      headRefName: pull.headRef,
      headRefOid: pull.headSha,
      baseRefName: pull.baseRef,
      baseRefOid: pull.baseSha,
      baseRef: () => this.ref(repository, pull.baseRef),
      headRepository: () => (pull.headRepository === undefined ? null : this.repository(pull.headRepository)),
      headRepositoryOwner: () => this.account(pull.headOwner),
      baseRepository: () => this.repository(repository),
      repository: () => this.repository(repository),
      isCrossRepository: pull.headRepository !== repository,
      maintainerCanModify: false,
      isInMergeQueue: false,
      isMergeQueueEnabled: false,
      mergeQueueEntry: null,
      autoMergeRequest: null,
      viewerCanMergeAsAdmin: false,
      viewerCanEnableAutoMerge: false,
      mergeable: async () => mergeableWord(await this.#mergeable(pull)),
      mergeStateStatus: async () => (await mergeState(pull, await this.#mergeable(pull))).toUpperCase(),
      reviewDecision: reviewDecision(pull),
      changedFiles: async () => (await pullFigures(pull)).changedFiles,
      additions: async () => (await pullFigures(pull)).additions,
      deletions: async () => (await pullFigures(pull)).deletions,
      labels: connection('labels', issue.labels, (label) => ({
        __typename: 'Label',
        id: label.nodeId,
        name: label.name,
        color: label.color,
      })),
      comments: connection('comments', comments, (comment) => this.comment(repository, comment)),
      reviews: connection('reviews', pull.reviews, (review) => this.review(pull, review)),
      latestReviews: connection('latestReviews', latestOpinions(pull), (review) => this.review(pull, review)),
      latestOpinionatedReviews: (args: { writersOnly?: boolean; first?: number; last?: number }) => {
        const writer = (review: Review) => atLeast(roleOf(repository, review.author), 'write');
        const wanted = latestOpinions(pull).filter((review) => args.writersOnly !== true || writer(review));
        return connection('latestOpinionatedReviews', wanted, (review) => this.review(pull, review))(args);
      },
      reviewThreads: connection('reviewThreads', [], () => null),
      files: async (args: { first?: number; after?: string }) => {
        const files = await diffFiles(repository.gitDirectory, pull.baseSha, pull.headSha);
        return connection('files', files, (file) => ({
          path: file.path,
          additions: file.additions,
          deletions: file.deletions,
          changeType: {
            added: 'ADDED',
            removed: 'DELETED',
            renamed: 'RENAMED',
            modified: 'MODIFIED',
            changed: 'CHANGED',
          }[file.status],
        }))(args);
      },
      commits: async (args: { first?: number; last?: number; after?: string }) => {
        const list = (await listCommits(repository.gitDirectory, `${pull.baseSha}..${pull.headSha}`, 250)).toReversed();
        return connection('commits', list, (commit) => ({
          __typename: 'PullRequestCommit',
          id: `PRC_${commit.sha}`,
          commit: commitNode(this, pull, commit),
        }))(args);
      },
    };
  }

  review(pull: PullRequest, review: Review) {
    const oid = review.commitId;
    return {
      __typename: 'PullRequestReview',
      id: review.nodeId,
      databaseId: review.id,
      author: () => this.account(review.author),
      authorAssociation: authorAssociation(pull.repository, review.author),
      authorCanPushToRepository: atLeast(roleOf(pull.repository, review.author), 'write'),
      state: review.state,
      body: review.body,
      submittedAt: when(review.submittedAt),
      commit: oid === null ? null : { __typename: 'Commit', oid, id: `C_${oid}` },
      onBehalfOf: connection('onBehalfOf', [], () => null),
    };
  }

  comment(repository: Repository, comment: IssueComment) {
    const issue = repository.issues.get(comment.number);
    const url = `${repositoryHtml(this.#hub.urls, repository)}/pull/${comment.number}#issuecomment-${comment.id}`;
    return {
      __typename: 'IssueComment',
      id: comment.nodeId,
      databaseId: comment.id,
      fullDatabaseId: String(comment.id),
      author: () => this.account(comment.author),
      body: comment.body,
      url,
      createdAt: when(comment.createdAt),
      updatedAt: when(comment.updatedAt),
      isMinimized: comment.minimizedReason !== undefined,
      minimizedReason: comment.minimizedReason ?? null,
      viewerCanMinimize: this.mayWriteTo(repository),
      viewerDidAuthor: 'account' in this.#caller && this.#caller.account === comment.author,
      pullRequest: () => (issue?.pull === undefined ? null : this.pull(issue.pull)),
      repository: () => this.repository(repository),
    };
  }

  issue(repository: Repository, issue: Issue) {
    const { number, title, nodeId: id } = issue;
    return {
      __typename: 'Issue',
      id,
      number,
      title,
      body: issue.body ?? '',
      state: issue.state.toUpperCase(),
      repository: () => this.repository(repository),
    };
  }

  /** Any node of a repository the caller sees; null otherwise, as if it did not exist. */
  byId(id: string) {
    for (const repository of this.#hub.world.repositories.values()) {
      if (!sees(this.#caller, repository)) continue;
      if (repository.nodeId === id) return this.repository(repository);
      const comment = [...repository.comments.values()].find((one) => one.nodeId === id);
      if (comment !== undefined) return this.comment(repository, comment);
      const issue = [...repository.issues.values()].find((one) => one.nodeId === id || one.pull?.nodeId === id);
      if (issue !== undefined) return issue.pull === undefined ? this.issue(repository, issue) : this.pull(issue.pull);
    }
    throw graphqlError('NOT_FOUND', `Could not resolve to a node with the global id of '${id}'`);
  }

  /** May the caller write to the conversation there: an App with the permission, a person with triage. */
  mayWriteTo(repository: Repository, role: 'triage' | 'write' = 'write'): boolean {
    const caller = this.#caller;
    if (caller.kind === 'installation') {
      const requirement = needs('read', { issues: 'write' }, { pull_requests: 'write' });
      return grantCovers(caller.grant, repository) && mayApp(caller.grant, requirement);
    }
    return caller.kind === 'personal' && atLeast(roleOf(repository, caller.account), role);
  }

  /** Asked once a query, however many of its fields depend on it. */
  #mergeable(pull: PullRequest): Promise<boolean | null> {
    const asked = this.#asked.get(pull) ?? askMergeable(this.#hub, pull);
    this.#asked.set(pull, asked);
    return asked;
  }

  #viewerPermission(repository: Repository) {
    if (this.#caller.kind !== 'personal') return null;
    const role = roleOf(repository, this.#caller.account);
    return role === 'none' ? null : role.toUpperCase();
  }

  /** Only those who may administer see the rule; for the others the field is null. */
  #protection(repository: Repository, branch: string) {
    const rule = repository.protections.get(branch);
    const caller = this.#caller;
    const may =
      caller.kind === 'installation'
        ? mayApp(caller.grant, needs('admin', { administration: 'read' }))
        : caller.kind === 'personal' && roleOf(repository, caller.account) === 'admin';
    return rule === undefined || !may ? null : protectionNode(branch, rule, this.#hub.world.apps);
  }
}

function mergeableWord(mergeable: boolean | null): string {
  if (mergeable === null) return 'UNKNOWN';
  return mergeable ? 'MERGEABLE' : 'CONFLICTING';
}
