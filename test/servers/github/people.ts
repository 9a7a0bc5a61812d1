import { IssuePeople } from './issue-people.ts';
import { addAccount, addApp, addPersonalToken, addTeam, type AppOrder, installApp } from './operations/accounts.ts';
import { pressButton, rerequestRun, rerequestSuite } from './operations/checks.ts';
import { addReview, dismissReview } from './operations/conversation.ts';
import {
  closePull,
  editPull,
  findPull,
  type MergeMethod,
  mergePull,
  openPull,
  reopenPull,
  retargetPull,
  setDraft,
} from './operations/pulls.ts';
import { branchMoved } from './operations/branches.ts';
import { ensureLabel } from './operations/issues.ts';
import {
  addRepository,
  archiveRepository,
  commitTo,
  deleteRepository,
  forkRepository,
  renameDefaultBranch,
  renameRepository,
  transferRepository,
} from './operations/repositories.ts';
import type {
  Account,
  App,
  BranchProtection,
  BranchRule,
  CheckRun,
  Installation,
  PullRequest,
  Repository,
  Review,
  ReviewState,
  Role,
  Team,
} from './state/model.ts';
import { deleteRef, type Files, findRef } from './state/git-store.ts';
import { digest } from './state/world.ts';

export interface NewRepository {
  readonly owner: string;
  readonly name: string;
  readonly files: Files;
  /** Default true, so that access is something to be had. */
  readonly private?: boolean;
  readonly defaultBranch?: string;
  /** login -> role */
  readonly roles?: Readonly<Record<string, Role>>;
}

export interface NewPullRequest {
  readonly author: string;
  readonly title: string;
  /** Changes against the base; null removes a file. */
  readonly files: Files;
  readonly branch?: string;
  readonly base?: string;
  readonly body?: string;
  readonly draft?: boolean;
  /** From the author's fork, which is made when there is none. */
  readonly fork?: boolean;
}

/** What people do on GitHub. Everything here sends the webhooks GitHub would send. */
export class People extends IssuePeople {
  createUser(login: string): Account {
    return addAccount(this.hub, login);
  }

  createOrganization(login: string): Account {
    return addAccount(this.hub, login, 'Organization');
  }

  createTeam(organization: string, slug: string, members: readonly string[]): Team {
    return addTeam(this.hub, organization, slug, members);
  }

  /** A personal token of this user; what it may do is what the user may. */
  createToken(login: string): string {
    return addPersonalToken(this.hub, login).token;
  }

  createApp(order: AppOrder): App {
    return addApp(this.hub, order);
  }

  installApp(app: App, owner: string, repositories: readonly Repository[] | 'all' = 'all'): Installation {
    return installApp(this.hub, app, owner, repositories);
  }

  async createRepository(order: NewRepository): Promise<Repository> {
    const owner = addAccount(this.hub, order.owner);
    const defaultBranch = order.defaultBranch ?? 'main';
    const repository = await addRepository(this.hub, {
      owner,
      name: order.name,
      private: order.private ?? true,
      defaultBranch,
    });
    for (const [login, role] of Object.entries(order.roles ?? {})) this.setPermission(repository, login, role);
    await commitTo(this.hub, repository, {
      branch: defaultBranch,
      files: order.files,
      message: 'Initial commit',
      author: owner,
    });
    return repository;
  }

  setPermission(repository: Repository, login: string, role: Role): void {
    repository.roles.set(addAccount(this.hub, login).id, role);
  }

  setTeamPermission(repository: Repository, team: Team, role: Role): void {
    repository.teamRoles.push({ team, role });
  }

  /** One commit; the branch is made from `from` (or the default branch) when it does not exist. */
  async commitFile(
    repository: Repository,
    files: Files,
    options: { branch?: string; from?: string; message?: string; author?: string } = {},
  ): Promise<string> {
    const branch = options.branch ?? repository.defaultBranch;
    const exists = (await findRef(repository.gitDirectory, `refs/heads/${branch}`)) !== undefined;
    const from = options.from ?? (exists ? undefined : await this.tip(repository, repository.defaultBranch));
    const author = options.author === undefined ? repository.owner : addAccount(this.hub, options.author);
    const message = options.message ?? `Change ${Object.keys(files).join(', ')}`;
    return await commitTo(this.hub, repository, {
      branch,
      files,
      message,
      author,
      ...(from === undefined ? {} : { from }),
    });
  }

  async deleteBranch(repository: Repository, branch: string, by: string): Promise<void> {
    const before = await this.tip(repository, branch);
    await deleteRef(repository.gitDirectory, `refs/heads/${branch}`);
    await branchMoved(this.hub, repository, { branch, before, after: undefined, actor: addAccount(this.hub, by) });
  }

  async tip(repository: Repository, branch: string): Promise<string> {
    const sha = await findRef(repository.gitDirectory, `refs/heads/${branch}`);
    if (sha === undefined) throw new Error(`${repository.name} has no branch ${branch}.`);
    return sha;
  }

  async openPullRequest(repository: Repository, order: NewPullRequest): Promise<PullRequest> {
    const author = addAccount(this.hub, order.author);
    const headRepository = order.fork === true ? await forkRepository(this.hub, repository, author) : repository;
    const baseRef = order.base ?? repository.defaultBranch;
    const headRef =
      order.branch ?? `change-${digest(order.title + JSON.stringify(Object.keys(order.files))).slice(0, 7)}`;
    const exists = (await findRef(headRepository.gitDirectory, `refs/heads/${headRef}`)) !== undefined;
    const from = exists ? undefined : await this.tip(headRepository, baseRef);
    if (Object.keys(order.files).length > 0) {
      await commitTo(this.hub, headRepository, {
        branch: headRef,
        files: order.files,
        message: order.title,
        author,
        ...(from === undefined ? {} : { from }),
      });
    }
    const body = order.body ?? null;
    return await openPull(this.hub, repository, {
      title: order.title,
      body,
      author,
      headRepository,
      headRef,
      baseRef,
      draft: order.draft ?? false,
    });
  }

  /** `force` rewrites the branch: the change is made again on the base, and the old commits are gone from it. */
  async pushToPullRequest(
    pull: PullRequest,
    files: Files,
    options: { author?: string; message?: string; force?: boolean } = {},
  ): Promise<string> {
    const repository = pull.headRepository;
    if (repository === undefined) throw new Error('The fork of this pull request was deleted.');
    const author = options.author === undefined ? pull.issue.author : addAccount(this.hub, options.author);
    const message = options.message ?? `Change ${Object.keys(files).join(', ')}`;
    const from = options.force === true ? { from: pull.baseSha } : {};
    return await commitTo(this.hub, repository, { branch: pull.headRef, files, message, author, ...from });
  }

  pullRequest(repository: Repository, number: number): PullRequest {
    return findPull(repository, number);
  }

  review(pull: PullRequest, login: string, state: Exclude<ReviewState, 'PENDING' | 'DISMISSED'>, body = ''): Review {
    return addReview(this.hub, pull, { author: addAccount(this.hub, login), state, body });
  }

  dismissReview(pull: PullRequest, review: Review, by: string): void {
    dismissReview(this.hub, pull, review, addAccount(this.hub, by));
  }

  async merge(pull: PullRequest, by: string, method: MergeMethod = 'merge'): Promise<string> {
    return await mergePull(this.hub, pull, { by: addAccount(this.hub, by), method });
  }

  async closePullRequest(pull: PullRequest, by: string): Promise<void> {
    await closePull(this.hub, pull, addAccount(this.hub, by));
  }

  async reopenPullRequest(pull: PullRequest, by: string): Promise<void> {
    await reopenPull(this.hub, pull, addAccount(this.hub, by));
  }

  async setDraft(pull: PullRequest, draft: boolean, by: string): Promise<void> {
    await setDraft(this.hub, pull, draft, addAccount(this.hub, by));
  }

  async retarget(pull: PullRequest, base: string, by: string): Promise<void> {
    await retargetPull(this.hub, pull, base, addAccount(this.hub, by));
  }

  async editPullRequest(pull: PullRequest, edit: { title?: string; body?: string }, by: string): Promise<void> {
    await editPull(this.hub, pull, edit, addAccount(this.hub, by));
  }

  /** Without an event: nothing here listens to labels of pull requests. */
  addLabel(pull: PullRequest, name: string): void {
    pull.issue.labels = [...pull.issue.labels, ensureLabel(this.hub, pull.repository, name)];
  }

  renameRepository(repository: Repository, name: string, by?: string): void {
    renameRepository(this.hub, repository, name, by === undefined ? repository.owner : addAccount(this.hub, by));
  }

  transferRepository(repository: Repository, to: string, by?: string): void {
    const sender = by === undefined ? repository.owner : addAccount(this.hub, by);
    transferRepository(this.hub, repository, addAccount(this.hub, to), sender);
  }

  archiveRepository(repository: Repository, archived = true): void {
    archiveRepository(this.hub, repository, archived, repository.owner);
  }

  deleteRepository(repository: Repository): void {
    deleteRepository(this.hub, repository, repository.owner);
  }

  async renameDefaultBranch(repository: Repository, name: string): Promise<void> {
    await renameDefaultBranch(this.hub, repository, name, repository.owner);
  }

  /** Classic branch protection; only what is named is required. */
  protectBranch(
    repository: Repository,
    branch: string,
    wanted: {
      checks?: readonly (string | { context: string; appId: number | null })[];
      strict?: boolean;
      approvals?: number;
      dismissStaleReviews?: boolean;
    },
  ): void {
    const requiredChecks = (wanted.checks ?? []).map((check) =>
      typeof check === 'string' ? { context: check, appId: null } : check,
    );
    const { strict = false, approvals: requiredApprovals, dismissStaleReviews = false } = wanted;
    const protection: BranchProtection = { requiredChecks, strict, requiredApprovals, dismissStaleReviews };
    repository.protections.set(branch, protection);
  }

  /** An active rule of a ruleset, as `GET rules/branches/{branch}` shows it. */
  addRule(repository: Repository, rule: BranchRule): void {
    repository.rules.push(rule);
  }

  checkRuns(pull: PullRequest): CheckRun[] {
    return pull.repository.checkRuns.filter((run) => run.headSha === pull.headSha);
  }

  async pressButton(repository: Repository, run: CheckRun, identifier: string, by: string): Promise<void> {
    await pressButton(this.hub, repository, run, identifier, addAccount(this.hub, by));
  }

  async rerequestCheckRun(repository: Repository, run: CheckRun, by: string): Promise<void> {
    await rerequestRun(this.hub, repository, run, addAccount(this.hub, by));
  }

  async rerequestCheckSuite(repository: Repository, run: CheckRun, by: string): Promise<void> {
    await rerequestSuite(this.hub, repository, run.suite, addAccount(this.hub, by));
  }
}
