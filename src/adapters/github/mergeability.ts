import type { Mergeability, PullRequest } from '../../core/pull-request.ts';
import { fullName } from '../../core/repository.ts';
import type { Client } from './api-context.ts';
import { type BranchRequirements, branchRequirements } from './branch-requirements.ts';
import type { HostParts } from './host-parts.ts';
import type { BranchRule, MergeFacts, Protection } from './merge-facts.ts';
import { readMergeFacts } from './merge-query.ts';
import { isStatus } from './repositories.ts';
import { orHostError } from './to-host-error.ts';
import { type ExtraFacts, type OwnChecks, unmetRequirements } from './unmet-requirements.ts';

/** Asking starts a background job on GitHub's side; its answer is there a moment later. */
const ASK_AGAIN_MS = [1_000, 2_000, 4_000];
const MERGEABLE: ReadonlySet<string> = new Set(['CLEAN', 'UNSTABLE', 'HAS_HOOKS']);
/** The commits of a pull request that GitHub lists. */
const MOST_COMMITS = 250;

const blocked = (...reasons: readonly string[]): Mergeability => ({ kind: 'blocked', reasons });
const unknown = (reason: string): Mergeability => ({ kind: 'unknown', reason });

/** What can be said without looking at the branch's rules; undefined when they have to be looked at. */
function mergeabilityAtFirstSight(facts: MergeFacts): Mergeability | undefined {
  if (facts.state !== 'OPEN') return blocked(`the pull request is ${facts.state.toLowerCase()}`);
  if (facts.isDraft) return blocked('the pull request is a draft');
  if (facts.mergeable === 'CONFLICTING' || facts.mergeStateStatus === 'DIRTY') return { kind: 'conflict' };
  if (MERGEABLE.has(facts.mergeStateStatus) && facts.mergeable === 'MERGEABLE') return { kind: 'mergeable' };
  if (facts.mergeStateStatus === 'BEHIND') return blocked('the branch is behind its base: update it');
  return undefined;
}

export function createMergeability(parts: HostParts) {
  const { credentials, clock } = parts;

  async function computedFacts(client: Client, pull: PullRequest): Promise<MergeFacts | undefined> {
    for (const wait of ASK_AGAIN_MS) {
      const facts = await readMergeFacts(client, pull);
      if (!facts || !isBeingComputed(facts)) return facts;
      await clock.sleep(wait);
    }
    return readMergeFacts(client, pull);
  }

  /** "Mergeable, except for our own checks": GitHub's BLOCKED cannot tell, so the branch's rules are evaluated here. */
  async function getMergeability(pull: PullRequest, ownContexts: readonly string[]): Promise<Mergeability> {
    return orHostError(clock, `read whether ${fullName(pull.repository)}#${pull.number} can be merged`, async () => {
      const client = await credentials.forRepository(pull.repository, 'facts');
      const facts = await computedFacts(client, pull);
      if (!facts) return unknown('GitHub does not show the pull request any more');
      if (facts.headSha !== pull.headSha) return unknown('the pull request has a newer head commit');
      const atFirstSight = mergeabilityAtFirstSight(facts);
      if (atFirstSight) return atFirstSight;
      if (isBeingComputed(facts)) return unknown('GitHub is still computing it; try again in a moment');
      return evaluated(client, pull, facts, { names: ownContexts, appId: credentials.appId });
    });
  }

  return { getMergeability };
}

function isBeingComputed(facts: MergeFacts): boolean {
  const open = facts.state === 'OPEN' && !facts.isDraft;
  return open && (facts.mergeable === 'UNKNOWN' || facts.mergeStateStatus === 'UNKNOWN');
}

async function evaluated(client: Client, pull: PullRequest, facts: MergeFacts, own: OwnChecks): Promise<Mergeability> {
  const rules = await readRules(client, pull);
  const protection = facts.protection ?? (await readVisibleProtection(client, pull));
  const needs = branchRequirements(protection, rules);
  const { reasons, ownMissing } = unmetRequirements(needs, facts, own, await readExtra(client, pull, needs));
  if (reasons.length > 0) return blocked(...reasons);
  if (ownMissing) return { kind: 'mergeable' };
  return blocked(
    'GitHub blocks the merge and does not show this credential why; "Administration: read" shows all of the branch protection',
  );
}

async function readRules(client: Client, pull: PullRequest): Promise<readonly BranchRule[]> {
  const { owner, name: repo } = pull.repository;
  const { getBranchRules } = client.octokit.rest.repos;
  return client.octokit.paginate(getBranchRules, { owner, repo, branch: pull.baseRef, per_page: 100 });
}

/** Without the permission to see classic protection its required checks are still told with the branch; of the rest the strict case is assumed. */
async function readVisibleProtection(client: Client, pull: PullRequest): Promise<Protection | null> {
  const { owner, name: repo } = pull.repository;
  const { data } = await client.octokit.rest.repos.getBranch({ owner, repo, branch: pull.baseRef });
  const required = data.protection?.enabled === true ? data.protection.required_status_checks : undefined;
  if (!required) return null;
  return {
    checks: required.checks.map(({ context, app_id: app }) => ({
      name: context,
      appId: app && app > 0 ? String(app) : undefined,
    })),
    upToDate: true,
    threadsResolved: true,
    signatures: false,
    deployments: [],
    locked: false,
  };
}

async function readExtra(client: Client, pull: PullRequest, needs: BranchRequirements): Promise<ExtraFacts> {
  return {
    behindBy: needs.upToDate ? await readBehindBy(client, pull) : 0,
    unsignedCommits: needs.signatures ? await readUnsigned(client, pull) : 0,
  };
}

async function readBehindBy(client: Client, pull: PullRequest): Promise<number> {
  const { owner, name: repo } = pull.repository;
  const basehead = `${pull.baseRef}...${pull.headSha}`;
  try {
    const { data } = await client.octokit.rest.repos.compareCommitsWithBasehead({ owner, repo, basehead, per_page: 1 });
    return data.behind_by;
  } catch (error) {
    // Unrelated histories: nothing of the base is in the head.
    if (isStatus(error, 404)) return 1;
    throw error;
  }
}

async function readUnsigned(client: Client, pull: PullRequest): Promise<number> {
  const { owner, name: repo } = pull.repository;
  const { listCommits } = client.octokit.rest.pulls;
  const commits = await client.octokit.paginate(listCommits, { owner, repo, pull_number: pull.number, per_page: 100 });
  const unsigned = commits.filter(({ commit }) => commit.verification?.verified !== true).length;
  return commits.length >= MOST_COMMITS ? Math.max(1, unsigned) : unsigned;
}
