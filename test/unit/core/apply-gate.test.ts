import { describe, expect, test } from 'vitest';
import { type ApplyFacts, findUnmetRequirements } from '../../../src/core/apply-gate.ts';
import type { Mergeability } from '../../../src/core/pull-request.ts';
import type { Requirement } from '../../../src/core/project.ts';
import type { UnmetRequirement } from '../../../src/core/reply.ts';
import {
  buildAccount,
  buildFacts,
  buildProject,
  buildPullRequest,
  buildReview,
  HEAD,
  OLD_HEAD,
} from '../../support/builders.ts';

const demands = (...applyRequirements: readonly Requirement[]) => ({ project: buildProject({ applyRequirements }) });

/** Exactly one rule speaks, for that project or for all. */
function expectOnly(facts: Partial<ApplyFacts>, wanted: UnmetRequirement): void {
  expect(findUnmetRequirements(buildFacts(facts))).toEqual([wanted]);
}

const MET = (facts: Partial<ApplyFacts>) => expect(findUnmetRequirements(buildFacts(facts))).toEqual([]);

describe('the gate of an apply', () => {
  test('opens when everything is met', () => MET({}));

  test.each(['closed', 'merged'] as const)('is shut when the pull request is %s', (state) =>
    expectOnly(
      { pull: buildPullRequest({ state }) },
      {
        project: undefined,
        what: `the pull request is ${state}`,
        next: 'Reopen it, or make the change in a new pull request.',
      },
    ),
  );

  test('is shut for a draft', () =>
    expectOnly(
      { pull: buildPullRequest({ draft: true }) },
      { project: undefined, what: 'the pull request is a draft', next: 'Mark it as ready for review.' },
    ));

  test('is shut for a fork, unless forks are allowed', () => {
    const pull = buildPullRequest({ fork: true });
    expectOnly(
      { pull },
      {
        project: undefined,
        what: 'the pull request comes from a fork, and code from a fork is never applied',
        next: 'Push the branch to this repository and open a pull request from there.',
      },
    );
    MET({ pull, forkAllowed: true });
  });

  test.each([
    ['none', 'no'],
    ['read', 'read'],
    ['triage', 'triage'],
  ] as const)('is shut for an actor with %s permission', (actorPermission, words) =>
    expectOnly(
      { actorPermission },
      {
        project: undefined,
        what: `ann has ${words} permission on the repository, and \`apply\` needs write`,
        next: 'Ask somebody with write permission.',
      },
    ),
  );

  test('is shut for an actor whom the rules of the server leave out', () => {
    MET({ actorPermission: 'admin' });
    const refused = { project: undefined, what: '@ann is in none of: ops', next: 'Ask somebody who may.' };
    expectOnly({ actorRefusal: '@ann is in none of: ops' }, refused);
  });

  test('is shut when the config forbids it', () =>
    expectOnly(
      { applicable: { ok: false, reason: 'no backend', next: 'Declare one.' } },
      { project: 'prod', what: 'no backend', next: 'Declare one.' },
    ));

  test('is shut without a plan', () =>
    expectOnly(
      { plan: undefined, trigger: 'atlantis' },
      { project: 'prod', what: 'there is no plan to apply', next: 'Comment `atlantis plan`.' },
    ));

  test('is shut when the plan is of another commit with other inputs', () => {
    const plan = { headSha: OLD_HEAD, baseRef: 'main', inputsDigest: 'inputs' };
    expectOnly(
      { plan, inputsDigestNow: 'other inputs' },
      {
        project: 'prod',
        what: `the plan is of commit ${OLD_HEAD.slice(0, 7)}, and the pull request is now at ${HEAD.slice(0, 7)}`,
        next: 'Comment `holdfast plan` and read the new plan.',
      },
    );
    MET({ plan });
    MET({ plan: { ...plan, headSha: HEAD }, inputsDigestNow: 'other inputs' });
  });

  test('is shut when the plan was made after the apply was asked for', () => {
    expectOnly(
      { plannedSinceAsked: true },
      {
        project: 'prod',
        what: 'a new plan was made since this apply was asked for',
        next: 'Read the new plan, and apply again.',
      },
    );
    const unplanned = findUnmetRequirements(buildFacts({ plan: undefined, plannedSinceAsked: true }));
    expect(unplanned.map(({ what }) => what)).toEqual(['there is no plan to apply']);
  });

  test('is shut when the plan was made for another base branch, though its commit and inputs are those of now', () => {
    const pull = buildPullRequest({ baseRef: 'prod' });
    expectOnly(
      { pull },
      {
        project: 'prod',
        what: 'the plan was made for the base branch `main`, and the pull request now goes into `prod`',
        next: 'Comment `holdfast plan` and read the new plan.',
      },
    );
    MET({ pull, plan: { headSha: HEAD, baseRef: 'prod', inputsDigest: 'inputs' } });
  });

  test('is shut when another pull request holds the lock', () => {
    expectOnly(
      { lockHolder: { number: 8, who: 'bob' } },
      {
        project: 'prod',
        what: 'the project is locked by #8 (bob)',
        next: 'Wait until #8 is merged or closed, or have it unlocked there with `holdfast unlock`.',
      },
    );
    MET({ lockHolder: undefined });
  });

  test('is shut while what it depends on is not applied', () =>
    expectOnly(
      { unappliedDependencies: ['net', 'dns'] },
      {
        project: 'prod',
        what: 'it depends on `net`, `dns`, not applied yet',
        next: 'Apply `net`, `dns` first, or `holdfast apply` everything.',
      },
    ));

  test('is shut when head and base cannot be merged, whatever is required', () => {
    const conflict = {
      project: undefined,
      what: 'it conflicts with the base branch',
      next: 'Merge the base branch into it and resolve the conflicts.',
    };
    expectOnly({ inputsDigestNow: undefined }, conflict);
    expectOnly({ mergeability: { kind: 'conflict' } }, conflict);
    expectOnly({ mergeability: { kind: 'conflict' }, inputsDigestNow: undefined }, conflict);
    expectOnly({ ...demands(), inputsDigestNow: undefined, mergeability: { kind: 'conflict' } }, conflict);
  });

  test('is shut when the base branch has moved in its files, if that is required', () => {
    expectOnly(
      { baseMoved: true },
      {
        project: 'prod',
        what: 'the base branch `main` has moved in files of this project since the plan',
        next: 'Comment `holdfast plan` and read the new plan.',
      },
    );
    MET({ ...demands('approved', 'mergeable'), baseMoved: true });
  });

  test('names everything at once, in the order in which people would deal with it', () => {
    const all = findUnmetRequirements(
      buildFacts({
        pull: buildPullRequest({ state: 'closed', draft: true, fork: true }),
        actorPermission: 'none',
        applicable: { ok: false, reason: 'no backend', next: 'Declare one.' },
        plan: undefined,
        lockHolder: { number: 8, who: 'bob' },
        reviews: [],
        mergeability: { kind: 'unknown', reason: 'GitHub is still computing' },
        unappliedDependencies: ['net'],
        inputsDigestNow: undefined,
        baseMoved: true,
      }),
    );
    expect(all.map(({ what }) => what.split(' ').slice(0, 5).join(' '))).toEqual([
      'the pull request is closed',
      'the pull request is a',
      'the pull request comes from',
      'ann has no permission on',
      'no backend',
      'it conflicts with the base',
      'there is no plan to',
      'the project is locked by',
      'it depends on `net`, not',
      'it is not approved: an',
      'whether it can be merged',
      'the base branch `main` has',
    ]);
  });
});

describe('approved', () => {
  const notApproved = {
    project: undefined,
    what: expect.stringMatching(/^it is not approved: an approval counts from somebody with write permission/),
    next: 'Ask for a review.',
  };

  test.each([
    ['nobody reviewed', []],
    ['dismissed', [buildReview({ state: 'dismissed' })]],
    ['by somebody who may not write', [buildReview({ permission: 'triage' })]],
    ['by the author', [buildReview({ reviewer: buildAccount('author') })]],
    ['of an older commit with other inputs', [buildReview({ commitSha: OLD_HEAD, inputsUnchangedSince: false })]],
    ['of nobody knows which commit', [buildReview({ commitSha: undefined, inputsUnchangedSince: false })]],
  ])('does not count: %s', (_what, reviews) => expectOnly({ reviews, lastPusher: undefined }, notApproved));

  test('does not count: by the last to push, compared by id', () => {
    const reviews = [buildReview({ reviewer: { id: '1', login: 'reviewer' } })];
    expectOnly({ reviews, lastPusher: { id: '1', login: 'renamed' } }, notApproved);
    MET({ reviews, lastPusher: { id: '2', login: 'reviewer' } });
  });

  test('of one person does not count while nobody knows who pushed; of two it does, for one of them did not', () => {
    const one = buildReview({ reviewer: buildAccount('carl') });
    const two = buildReview({ reviewer: buildAccount('dora') });
    const unknown = {
      project: undefined,
      what: `the host does not say who pushed commit ${HEAD.slice(0, 7)}; if it was @carl, their approval, the only one, does not count`,
      next: 'Have a second person approve it, or push once more.',
    };
    MET({ reviews: [one] });
    expectOnly({ reviews: [one], lastPusher: undefined }, unknown);
    expectOnly({ reviews: [one, one], lastPusher: undefined }, unknown);
    MET({ reviews: [one, two], lastPusher: undefined });
    const worthless = [
      { ...two, permission: 'triage' },
      { ...two, reviewer: buildAccount('author') },
      { ...two, state: 'dismissed' },
    ] as const;
    for (const review of worthless) expectOnly({ reviews: [one, review], lastPusher: undefined }, unknown);
    MET({ ...demands('mergeable'), reviews: [one], lastPusher: undefined });
  });

  test.each([
    ['at the head', buildReview({ inputsUnchangedSince: false })],
    ['of an older commit with the same inputs', buildReview({ commitSha: OLD_HEAD })],
    ['by an administrator', buildReview({ permission: 'admin' })],
  ])('counts: %s', (_what, review) => MET({ reviews: [buildReview({ state: 'dismissed' }), review] }));

  test('does not count against a person who asks for changes', () => {
    const objection = buildReview({ reviewer: buildAccount('carl'), state: 'changes_requested' });
    expectOnly(
      { reviews: [buildReview(), objection] },
      {
        project: undefined,
        what: '@carl has asked for changes',
        next: 'Settle it with them, and ask for a new review.',
      },
    );
    MET({ reviews: [buildReview(), { ...objection, permission: 'read' }] });
  });

  test('is asked only where it is required', () => MET({ ...demands('mergeable', 'undiverged'), reviews: [] }));
});

describe('mergeable', () => {
  const cases: readonly (readonly [Mergeability, string, string])[] = [
    [
      { kind: 'blocked', reasons: ['the check ci is red', 'one review is missing'] },
      'it cannot be merged: the check ci is red; one review is missing',
      'See to what the host asks for, then apply again.',
    ],
    [
      { kind: 'unknown', reason: 'GitHub is still computing' },
      'whether it can be merged is not known: GitHub is still computing',
      'Try again in a minute.',
    ],
  ];

  test.each(cases)('%j is not', (mergeability, what, next) => {
    expectOnly({ mergeability }, { project: undefined, what, next });
    MET({ ...demands('approved', 'undiverged'), mergeability });
  });

  test('is asked only where it is required', () => MET({ ...demands(), mergeability: { kind: 'conflict' } }));
});
