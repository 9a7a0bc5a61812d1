import { describe, expect, test } from 'vitest';
import type { PullRequest } from '../../../src/core/pull-request.ts';
import type { ClaimedPullRequestRun } from '../../../src/ports/run-store.ts';
import { type GatheredApply, recheckApply } from '../../../workers/gather-apply-facts.ts';
import type { RunContext } from '../../../workers/run-context.ts';
import {
  BASE,
  buildAccount,
  buildFacts,
  buildProject,
  buildPullRequest,
  buildPullRequestRecord,
  buildRepository,
  buildReview,
  buildRun,
  HEAD,
  OLD_HEAD,
} from '../../support/builders.ts';

interface Now {
  readonly pull?: Partial<PullRequest>;
  readonly repository?: Parameters<typeof buildRepository>[0];
  readonly reviews?: readonly ReturnType<typeof buildReview>[];
  readonly permission?: string;
  readonly mergeability?: object;
}

/** The gate was open at HEAD; `now` is what the host says just before the apply begins. */
async function recheck(now: Now) {
  const project = buildProject({ applyRequirements: ['approved', 'mergeable'] });
  const host = {
    host: 'github.com',
    getRepository: async () => buildRepository(now.repository),
    getPullRequest: async () => buildPullRequest(now.pull),
    getPermission: async () => now.permission ?? 'write',
    listReviews: async () => now.reviews ?? [buildReview()],
    getMergeability: async () => now.mergeability ?? { kind: 'mergeable' },
  };
  const context = {
    config: {
      repositories: ['github.com/acme/*'],
      repos: [],
      workflows: new Map(),
      repoLocks: 'on_plan',
      permissions: {},
      drift: { defaults: {} },
    },
    hosts: new Map([['github.com', host]]),
    mirror: { has: async () => false },
    pulls: {
      readVersion: async () => 1,
      saveSeen: async (pull: PullRequest) => buildPullRequestRecord(pull),
    },
  };
  const gathered = {
    facts: buildFacts({ project }),
    pull: buildPullRequestRecord(),
    rules: { permissions: {} },
    baseSha: BASE,
    project,
    reported: [project],
  };
  const run = buildRun({ operation: 'apply' });
  const unmet = await recheckApply(
    context as unknown as RunContext,
    run as ClaimedPullRequestRun,
    gathered as unknown as GatheredApply,
  );
  return unmet.map(({ what }) => what);
}

describe('just before an apply begins', () => {
  test('nothing stands in the way when nothing has changed', async () => {
    expect(await recheck({})).toEqual([]);
  });

  test('a push is seen', async () => {
    expect(await recheck({ pull: { headSha: OLD_HEAD } })).toEqual([
      `commit ${OLD_HEAD.slice(0, 7)} was pushed while the apply was verified`,
    ]);
  });

  test('a new base branch is seen', async () => {
    expect(await recheck({ pull: { baseRef: 'lax' } })).toHaveLength(1);
  });

  test('a pull request that was closed or became a draft is seen', async () => {
    expect(await recheck({ pull: { state: 'closed' } })).toEqual(['the pull request is closed']);
    expect(await recheck({ pull: { draft: true } })).toEqual(['the pull request is a draft']);
  });

  test('an approval that was taken back is seen', async () => {
    const dismissed = buildReview({ state: 'dismissed', commitSha: HEAD });
    expect(await recheck({ reviews: [dismissed] })).toHaveLength(1);
    const objects = buildReview({ state: 'changes_requested', reviewer: buildAccount('eve') });
    expect(await recheck({ reviews: [buildReview(), objects] })).toEqual(['@eve has asked for changes']);
  });

  test('a permission that was taken away is seen', async () => {
    expect(await recheck({ permission: 'read' })).not.toEqual([]);
  });

  test('a check that failed meanwhile is seen', async () => {
    expect(await recheck({ mergeability: { kind: 'blocked', reasons: ['the check lint failed'] } })).toEqual([
      'it cannot be merged: the check lint failed',
    ]);
  });

  test('a repository that was renamed out of what is served is not worked on', async () => {
    await expect(recheck({ repository: { owner: 'elsewhere' } })).rejects.toThrow('is not one that is served here');
    await expect(recheck({ repository: { archived: true } })).rejects.toThrow('is archived');
  });
});
