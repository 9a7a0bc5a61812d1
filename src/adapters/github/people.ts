import type { Account, Permission, PullRequest, Review } from '../../core/pull-request.ts';
import { fullName, isCommitSha, type RepositoryRef } from '../../core/repository.ts';
import type { HostParts } from './host-parts.ts';
import { toAccount } from './pull-requests.ts';
import { isStatus } from './repositories.ts';
import { orHostError } from './to-host-error.ts';

interface GithubReview {
  readonly user: { readonly id: number; readonly login: string } | null;
  readonly state: string;
  readonly commit_id: string | null;
  readonly submitted_at?: string | null;
}

/** The description of the API names the person `actor`, its example `pusher`. */
interface Activity {
  readonly after: string;
  readonly actor?: { readonly id: number; readonly login: string } | null;
  readonly pusher?: { readonly id: number; readonly login: string } | null;
}

const REVIEW_STATES: Readonly<Record<string, Review['state']>> = {
  APPROVED: 'approved',
  CHANGES_REQUESTED: 'changes_requested',
  DISMISSED: 'dismissed',
};

/**
 * The review that counts of each person: GitHub lists all, oldest first, and a later comment takes nothing back
 * (the same as GraphQL's `latestOpinionatedReviews`). Reviews of deleted accounts count for nobody.
 */
export function latestReviews(reviews: readonly GithubReview[]): readonly Review[] {
  const latest = new Map<string, Review>();
  for (const review of reviews) {
    const state = REVIEW_STATES[review.state.toUpperCase()];
    if (!state || !review.user) continue;
    const reviewer = toAccount(review.user);
    const sha = review.commit_id;
    latest.set(reviewer.id, {
      reviewer,
      state,
      commitSha: sha !== null && isCommitSha(sha) ? sha : undefined,
      submittedAt: review.submitted_at ?? '',
    });
  }
  return [...latest.values()];
}

const ROLES: Readonly<Record<string, Permission>> = {
  admin: 'admin',
  maintain: 'write',
  write: 'write',
  triage: 'triage',
  read: 'read',
  none: 'none',
};

/** `role_name` tells triage and maintain apart, but may be an organisation's own role: then the coarse permission counts. */
function toPermission(data: { readonly permission: string; readonly role_name?: string }): Permission {
  return ROLES[data.role_name ?? ''] ?? ROLES[data.permission] ?? 'none';
}

export function createPeople(parts: HostParts) {
  const { credentials, clock } = parts;

  async function listReviews(ref: RepositoryRef, number: number): Promise<readonly Review[]> {
    return orHostError(clock, `list the reviews of ${fullName(ref)}#${number}`, async () => {
      const { octokit } = await credentials.forRepository(ref, 'facts');
      const reviews = await octokit.paginate(octokit.rest.pulls.listReviews, {
        owner: ref.owner,
        repo: ref.name,
        pull_number: number,
        per_page: 100,
      });
      return latestReviews(reviews);
    });
  }

  /** Asked by login, for there is no way by id; an answer about another id means that the login was given to somebody else. */
  async function getPermission(ref: RepositoryRef, account: Account): Promise<Permission> {
    return orHostError(clock, `read the permission of ${account.login} on ${fullName(ref)}`, async () => {
      const { octokit } = await credentials.forRepository(ref, 'facts');
      try {
        const { data } = await octokit.rest.repos.getCollaboratorPermissionLevel({
          owner: ref.owner,
          repo: ref.name,
          username: account.login,
        });
        return data.user && String(data.user.id) !== account.id ? 'none' : toPermission(data);
      } catch (error) {
        if (isStatus(error, 404)) return 'none';
        throw error;
      }
    });
  }

  async function isTeamMember(organisation: string, team: string, account: Account): Promise<boolean> {
    return orHostError(clock, `read whether ${account.login} is in the team ${organisation}/${team}`, async () => {
      const { octokit } = await credentials.forOrganisation(organisation);
      try {
        const { data } = await octokit.rest.teams.getMembershipForUserInOrg({
          org: organisation,
          team_slug: team,
          username: account.login,
        });
        return data.state === 'active';
      } catch (error) {
        if (isStatus(error, 404)) return false;
        throw error;
      }
    });
  }

  /** From the repository's activity; that of a fork is the fork's, and older servers have none: then nobody knows. */
  async function findLastPusher(pull: PullRequest): Promise<Account | undefined> {
    if (pull.fork) return undefined;
    const ref = pull.repository;
    return orHostError(clock, `read who pushed to ${fullName(ref)}#${pull.number}`, async () => {
      const { octokit } = await credentials.forRepository(ref, 'facts');
      try {
        const { data } = await octokit.rest.repos.listActivities({
          owner: ref.owner,
          repo: ref.name,
          ref: `refs/heads/${pull.headRef}`,
          per_page: 100,
        });
        const push: Activity | undefined = data.find((activity) => activity.after === pull.headSha);
        const pusher = push?.actor ?? push?.pusher;
        return pusher ? toAccount(pusher) : undefined;
      } catch (error) {
        if (isStatus(error, 404)) return undefined;
        throw error;
      }
    });
  }

  return { listReviews, getPermission, isTeamMember, findLastPusher };
}
