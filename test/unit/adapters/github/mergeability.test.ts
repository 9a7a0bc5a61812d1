import { afterEach, describe, expect, test } from 'vitest';
import type { BranchRule } from '../../../../src/adapters/github/merge-facts.ts';
import { type GithubStub, routes, type StubAnswer, startGithubStub } from '../../../support/github-stub.ts';
import { fakeClock, HEAD, pullRequest, tokenHost } from './fixtures.ts';

let stub: GithubStub;
afterEach(() => stub.close());

interface Node {
  readonly [field: string]: unknown;
}

const base: Node = {
  state: 'OPEN',
  isDraft: false,
  mergeable: 'MERGEABLE',
  mergeStateStatus: 'BLOCKED',
  reviewDecision: null,
  headRefOid: HEAD,
  latestOpinionatedReviews: { nodes: [] },
  reviewThreads: { totalCount: 0, nodes: [] },
  baseRef: { branchProtectionRule: null },
};

const status = (context: string, state = 'SUCCESS') => ({ __typename: 'StatusContext', context, state });
const run = (name: string, conclusion: string | null, more: { id?: number; app?: number; path?: string } = {}) => ({
  __typename: 'CheckRun',
  name,
  conclusion,
  databaseId: more.id ?? 1,
  checkSuite: {
    app: more.app ? { databaseId: more.app } : null,
    workflowRun: more.path ? { file: { path: more.path } } : null,
  },
});

function answer(node: Node, contexts: readonly object[], pageInfo: object = { hasNextPage: false, endCursor: null }) {
  const commits = { nodes: [{ commit: { statusCheckRollup: { contexts: { pageInfo, nodes: contexts } } } }] };
  return { json: { data: { repository: { pullRequest: { ...base, commits, ...node } } } } };
}

const needs = (...checks: readonly { context: string; integration_id?: number }[]): BranchRule => ({
  type: 'required_status_checks',
  parameters: { required_status_checks: checks, strict_required_status_checks_policy: false },
});

const RULES = 'GET /repos/acme/infra/rules/branches/main';
const BRANCH = 'GET /repos/acme/infra/branches/main';
const unprotected = { json: { name: 'main', protected: true, protection: { enabled: false } } };
const OWN = ['holdfast/apply', 'holdfast/plan'];

async function ask(
  graphql: StubAnswer[] | StubAnswer,
  rules: readonly BranchRule[] = [],
  more: Parameters<typeof routes>[0] = {},
) {
  const answers = Array.isArray(graphql) ? graphql : [graphql];
  stub = await startGithubStub(
    routes({
      'POST /graphql': () => answers.shift() ?? { status: 500 },
      [RULES]: { json: rules },
      [BRANCH]: unprotected,
      ...more,
    }),
  );
  const clock = fakeClock();
  const result = await tokenHost(stub.url, { clock }).getMergeability(pullRequest, OWN);
  return { ...result, slept: clock.slept };
}

describe('at first sight', () => {
  test.each(['CLEAN', 'UNSTABLE', 'HAS_HOOKS'])('%s is mergeable, with one call', async (mergeStateStatus) => {
    expect(await ask(answer({ mergeStateStatus }, []))).toMatchObject({ kind: 'mergeable' });
    expect(stub.requests).toHaveLength(1);
  });

  test.each([
    [{ isDraft: true, mergeStateStatus: 'DRAFT' }, 'blocked', /draft/],
    [{ state: 'MERGED' }, 'blocked', /merged/],
    [{ mergeStateStatus: 'BEHIND' }, 'blocked', /behind/],
    [{ headRefOid: 'c'.repeat(40) }, 'unknown', /newer head/],
  ])('%o is %s', async (node, kind, reason) => {
    const result = await ask(answer(node, []));
    expect(result.kind).toBe(kind);
    expect(JSON.stringify(result)).toMatch(reason);
  });

  test('a conflict is a conflict', async () => {
    expect(await ask(answer({ mergeable: 'CONFLICTING', mergeStateStatus: 'DIRTY' }, []))).toMatchObject({
      kind: 'conflict',
    });
  });

  test('still being computed: asked again, then answered', async () => {
    const unknown = answer({ mergeable: 'UNKNOWN', mergeStateStatus: 'UNKNOWN' }, []);
    const result = await ask([unknown, unknown, answer({ mergeStateStatus: 'CLEAN' }, [])]);
    expect(result).toEqual({ kind: 'mergeable', slept: [1_000, 2_000] });
  });

  test('computed for ever: unknown, after a bounded number of calls', async () => {
    const unknown = answer({ mergeable: 'UNKNOWN', mergeStateStatus: 'UNKNOWN' }, []);
    const result = await ask(Array.from({ length: 20 }, () => unknown));
    expect(result).toMatchObject({ kind: 'unknown', slept: [1_000, 2_000, 4_000] });
    expect(stub.requests).toHaveLength(4);
  });

  test('a pull request that vanished is unknown', async () => {
    expect(await ask({ json: { data: { repository: { pullRequest: null } } } })).toMatchObject({ kind: 'unknown' });
  });
});

describe('blocked', () => {
  const reasons = (result: object) => ('reasons' in result ? (result.reasons as string[]) : []);

  test('by nothing but our own check is mergeable', async () => {
    const rules = [needs({ context: 'Holdfast/Apply' }, { context: 'ci' })];
    expect(await ask(answer({}, [status('holdfast/apply', 'PENDING'), status('ci')]), rules)).toMatchObject({
      kind: 'mergeable',
    });
  });

  test('by nothing but our own check, asked for by classic protection, is mergeable', async () => {
    const branchProtectionRule = {
      requiresStatusChecks: true,
      requiresStrictStatusChecks: false,
      requiredStatusChecks: [{ context: 'holdfast/apply', app: null }],
      requiresConversationResolution: false,
      requiresCommitSignatures: false,
      requiresDeployments: false,
      requiredDeploymentEnvironments: [],
      lockBranch: false,
    };
    const rule = (change: object) => ({ baseRef: { branchProtectionRule: { ...branchProtectionRule, ...change } } });
    expect(await ask(answer(rule({}), []))).toMatchObject({ kind: 'mergeable' });
    await stub.close();
    const more = { requiredStatusChecks: [...branchProtectionRule.requiredStatusChecks, { context: 'ci', app: null }] };
    expect(reasons(await ask(answer(rule(more), [])))).toEqual([
      'the required check "ci" has not been reported on the head commit',
    ]);
    await stub.close();
    expect(reasons(await ask(answer(rule({ lockBranch: true }), [])))).toEqual(['the base branch is locked']);
  });

  test.each([
    ['absent', [], /has not been reported/],
    ['pending', [status('ci', 'PENDING')], /not green/],
    ['failed', [run('ci', 'FAILURE')], /not green/],
    ['running', [run('ci', null)], /not green/],
    ['both a green run and a red status', [run('ci', 'SUCCESS'), status('ci', 'FAILURE')], /not green/],
    [
      'green once and red when run again',
      [run('ci', 'SUCCESS', { id: 1 }), run('ci', 'FAILURE', { id: 2 })],
      /not green/,
    ],
  ])('by a required check that is %s', async (_name, contexts, reason) => {
    const rules = [needs({ context: 'holdfast/apply' }, { context: 'ci' })];
    const result = await ask(answer({}, contexts), rules);
    expect(result.kind).toBe('blocked');
    expect(reasons(result).join()).toMatch(reason);
  });

  test.each([
    ['SKIPPED', [run('ci', 'SKIPPED')]],
    ['NEUTRAL', [run('ci', 'NEUTRAL')]],
    ['red once and green when run again', [run('ci', 'FAILURE', { id: 1 }), run('ci', 'SUCCESS', { id: 2 })]],
  ])('a required check that is %s has passed', async (_name, contexts) => {
    const rules = [needs({ context: 'holdfast/apply' }, { context: 'ci' })];
    expect(await ask(answer({}, contexts), rules)).toMatchObject({ kind: 'mergeable' });
  });

  test('a check that must come from one App counts from no other', async () => {
    const rules = [needs({ context: 'holdfast/apply' }, { context: 'ci', integration_id: 15 })];
    expect((await ask(answer({}, [run('ci', 'SUCCESS', { app: 15 })]), rules)).kind).toBe('mergeable');
    await stub.close();
    expect(reasons(await ask(answer({}, [run('ci', 'SUCCESS', { app: 16 })]), rules)).join()).toMatch(
      /not been reported/,
    );
    await stub.close();
    expect(reasons(await ask(answer({}, [status('ci')]), rules)).join()).toMatch(/does not prove the App/);
  });

  test("another App's check of our name is not ours", async () => {
    const rules = [needs({ context: 'holdfast/apply', integration_id: 15 })];
    expect(reasons(await ask(answer({}, [status('holdfast/apply', 'PENDING')]), rules)).join()).toMatch(
      /not been reported/,
    );
  });

  test.each([
    [{ reviewDecision: 'CHANGES_REQUESTED' }, {}, /asked for changes/],
    [{ reviewDecision: 'REVIEW_REQUIRED' }, {}, /review is missing/],
    [
      { latestOpinionatedReviews: { nodes: [{ state: 'APPROVED' }] } },
      { required_approving_review_count: 2 },
      /2 approvals are required, there are 1/,
    ],
    [{}, { require_code_owner_review: true }, /code owner/],
    [{}, { require_last_push_approval: true }, /last pusher/],
    [{}, { required_reviewers: [{}] }, /required reviewers/],
    [
      { reviewThreads: { totalCount: 2, nodes: [{ isResolved: true }, { isResolved: false }] } },
      { required_review_thread_resolution: true },
      /1 conversations/,
    ],
    [
      { reviewThreads: { totalCount: 120, nodes: Array(100).fill({ isResolved: true }) } },
      { required_review_thread_resolution: true },
      /20 conversations/,
    ],
  ])('by reviews: %o with %o', async (node, parameters, reason) => {
    const rules = [needs({ context: 'holdfast/apply' }), { type: 'pull_request', parameters }];
    const result = await ask(answer(node, []), rules);
    expect(reasons(result)).toHaveLength(1);
    expect(reasons(result)[0]).toMatch(reason);
  });

  test('reviews that GitHub calls approved are', async () => {
    const parameters = {
      required_approving_review_count: 1,
      require_code_owner_review: true,
      require_last_push_approval: true,
    };
    const node = { reviewDecision: 'APPROVED', latestOpinionatedReviews: { nodes: [{ state: 'APPROVED' }] } };
    const rules = [needs({ context: 'holdfast/apply' }), { type: 'pull_request', parameters }];
    expect(await ask(answer(node, []), rules)).toMatchObject({ kind: 'mergeable' });
  });

  test.each([
    ['required_deployments', { required_deployment_environments: ['prod'] }, /deployment to "prod"/],
    ['code_scanning', {}, /"code_scanning" cannot be verified/],
    ['a_rule_of_next_year', undefined, /"a_rule_of_next_year" cannot be verified/],
  ])('by the rule %s that cannot be read', async (type, parameters, reason) => {
    const result = await ask(answer({}, []), [needs({ context: 'holdfast/apply' }), { type, parameters }]);
    expect(reasons(result).join()).toMatch(reason);
  });

  test('rules about pushing do not count', async () => {
    const rules = [
      needs({ context: 'holdfast/apply' }),
      { type: 'deletion' },
      { type: 'non_fast_forward' },
      { type: 'merge_queue' },
    ];
    expect(await ask(answer({}, []), rules)).toMatchObject({ kind: 'mergeable' });
  });

  test.each([
    [[run('build', 'SUCCESS', { path: '.github/workflows/ci.yml' })], 'mergeable'],
    [[run('build', 'FAILURE', { path: '.github/workflows/ci.yml' })], 'blocked'],
    [[run('build', 'SUCCESS', { path: '.github/workflows/other.yml' })], 'blocked'],
  ])('a required workflow must have run green: %#', async (contexts, kind) => {
    const workflows = {
      type: 'workflows',
      parameters: { workflows: [{ path: '.github/workflows/ci.yml', repository_id: 1 }] },
    };
    expect((await ask(answer({}, contexts), [needs({ context: 'holdfast/apply' }), workflows])).kind).toBe(kind);
  });

  test('a strict rule asks whether the branch is behind', async () => {
    const strict: BranchRule = {
      type: 'required_status_checks',
      parameters: {
        required_status_checks: [{ context: 'holdfast/apply' }],
        strict_required_status_checks_policy: true,
      },
    };
    const compare = `GET /repos/acme/infra/compare/main...${HEAD}`;
    const behind = (by: number) => ask(answer({}, []), [strict], { [compare]: { json: { behind_by: by } } });
    expect(reasons(await behind(3)).join()).toMatch(/3 commits behind/);
    await stub.close();
    expect((await behind(0)).kind).toBe('mergeable');
  });

  test('a rule for signatures looks at every commit', async () => {
    const rules = [needs({ context: 'holdfast/apply' }), { type: 'required_signatures' }];
    const commits = (...verified: boolean[]) => ({
      'GET /repos/acme/infra/pulls/12/commits': {
        json: verified.map((yes) => ({ commit: { verification: { verified: yes } } })),
      },
    });
    expect(reasons(await ask(answer({}, []), rules, commits(true, false))).join()).toMatch(
      /1 commits have no verified/,
    );
    await stub.close();
    expect((await ask(answer({}, []), rules, commits(true, true))).kind).toBe('mergeable');
  });

  test('by something that is not shown to us is blocked, and says what permission would show it', async () => {
    expect(reasons(await ask(answer({}, []))).join()).toMatch(/Administration: read/);
    await stub.close();
    const green = answer({}, [status('holdfast/apply')]);
    expect(reasons(await ask(green, [needs({ context: 'holdfast/apply' })])).join()).toMatch(/does not show/);
  });

  test('protection that may not be read in full is read with the branch, its strict case assumed', async () => {
    const checks = [
      { context: 'ci', app_id: -1 },
      { context: 'holdfast/apply', app_id: null },
    ];
    const protection = { enabled: true, required_status_checks: { contexts: [], checks } };
    const more = {
      [BRANCH]: { json: { name: 'main', protected: true, protection } },
      [`GET /repos/acme/infra/compare/main...${HEAD}`]: { json: { behind_by: 0 } },
    };
    const forbidden = answer({}, [status('ci', 'FAILURE')]);
    const errors = [
      { type: 'FORBIDDEN', path: ['repository', 'pullRequest', 'baseRef', 'branchProtectionRule'], message: 'no' },
    ];
    const partial = { json: { ...forbidden.json, errors } };
    expect(reasons(await ask(partial, [], more))).toEqual(['the required check "ci" is not green']);
  });

  test('checks are read over all pages', async () => {
    const rules = [needs({ context: 'holdfast/apply' }, { context: 'ci' })];
    const pages = [answer({}, [status('x')], { hasNextPage: true, endCursor: 'c1' }), answer({}, [status('ci')])];
    expect((await ask(pages, rules)).kind).toBe('mergeable');
    expect(JSON.parse(stub.requests[1]?.body ?? '').variables.after).toBe('c1');
  });
});

test('an error while asking is an error, never "mergeable"', async () => {
  const denied = { json: { data: null, errors: [{ type: 'FORBIDDEN', path: ['repository'], message: 'no' }] } };
  await expect(ask(denied)).rejects.toMatchObject({ name: 'HostRefusedError', status: 403 });
  await stub.close();
  await expect(ask(answer({}, []), [], { [RULES]: { status: 502 } })).rejects.toMatchObject({
    name: 'HostUnavailableError',
  });
});
