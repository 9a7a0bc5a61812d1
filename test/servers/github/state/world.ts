import { createHash, randomBytes } from 'node:crypto';
import type { Account, App, Installation, InstallationToken, Issue, IssueComment, PersonalToken } from './model.ts';
import type { PullRequest, Repository, Team } from './model.ts';

/** Everything this GitHub holds, with the look-ups that every part needs. */
export class World {
  readonly accounts = new Map<number, Account>();
  readonly teams: Team[] = [];
  readonly repositories = new Map<number, Repository>();
  readonly apps: App[] = [];
  readonly installations: Installation[] = [];
  readonly personalTokens = new Map<string, PersonalToken>();
  readonly installationTokens = new Map<string, InstallationToken>();
  /** Former full names, lower case, to the repository that had them; GitHub answers them with a redirect. */
  readonly formerNames = new Map<string, Repository>();
  #nextId = 1_000;

  nextId(): number {
    this.#nextId += 1;
    return this.#nextId;
  }

  /** Opaque like GitHub's new format; never parsed. */
  nodeId(prefix: string, id: number): string {
    return `${prefix}_kwDO${Buffer.from(`${prefix}${id}`).toString('base64url')}`;
  }

  token(prefix: string): string {
    return `${prefix}_${randomBytes(18).toString('hex')}`;
  }

  findAccount(login: string): Account | undefined {
    const wanted = login.toLowerCase();
    return [...this.accounts.values()].find((account) => account.login.toLowerCase() === wanted);
  }

  findRepository(owner: string, name: string): Repository | undefined {
    const wanted = `${owner}/${name}`.toLowerCase();
    return [...this.repositories.values()].find((one) => !one.deleted && fullName(one).toLowerCase() === wanted);
  }

  findTeam(organization: string, slug: string): Team | undefined {
    const wanted = organization.toLowerCase();
    return this.teams.find((team) => team.organization.login.toLowerCase() === wanted && team.slug === slug);
  }

  findNode(nodeId: string): Repository | Issue | PullRequest | IssueComment | Account | undefined {
    for (const account of this.accounts.values()) if (account.nodeId === nodeId) return account;
    for (const repository of this.repositories.values()) {
      if (repository.nodeId === nodeId) return repository;
      for (const comment of repository.comments.values()) if (comment.nodeId === nodeId) return comment;
      for (const issue of repository.issues.values()) {
        if (issue.nodeId === nodeId) return issue;
        if (issue.pull?.nodeId === nodeId) return issue.pull;
      }
    }
    return undefined;
  }

  /** The installations that see this repository. */
  installationsOf(repository: Repository): Installation[] {
    return this.installations.filter((one) => installationSees(one, repository));
  }
}

export function fullName(repository: Repository): string {
  return `${repository.owner.login}/${repository.name}`;
}

export function installationSees(installation: Installation, repository: Repository): boolean {
  if (installation.account.id !== repository.owner.id) return false;
  return installation.repositoryIds === undefined || installation.repositoryIds.has(repository.id);
}

export function pullsOf(repository: Repository): PullRequest[] {
  return [...repository.issues.values()].flatMap((issue) => (issue.pull === undefined ? [] : [issue.pull]));
}

export function stateOf(pull: PullRequest): 'open' | 'closed' | 'merged' {
  if (pull.merged !== undefined) return 'merged';
  return pull.issue.state;
}

/** Moves `updated_at`, which GitHub keeps in whole seconds and pollers sort by. */
export function touch(issue: Issue): void {
  issue.updatedAt = new Date();
}

export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
