import { describe, expect, test } from 'vitest';
import type { AttributeDifference, DriftFindings, ResourceDifference } from '../../../../src/core/drift/drift.ts';
import {
  findUnmetForRemediation,
  type Person,
  type RemediationFacts,
} from '../../../../src/core/drift/remediation-gate.ts';
import { buildAccount } from '../../../support/builders.ts';
import { at } from './drift-fixture.ts';

const person = (login: string, some: Partial<Person> = {}): Person => ({
  account: buildAccount(login),
  permission: 'write',
  refusal: undefined,
  ...some,
});

function attribute(kind: AttributeDifference['kind']): AttributeDifference {
  return { path: 'x', kind, digest: 'd', applied: '1', live: '2', wanted: '1', unknown: false, sensitive: false };
}

function resource(some: Partial<ResourceDifference> = {}): ResourceDifference {
  return {
    address: 'a.drifted',
    type: 'a',
    kind: 'drift',
    action: 'update',
    reason: undefined,
    missing: false,
    destructive: false,
    attributes: [attribute('drift')],
    attributesLeftOut: 0,
    fingerprint: 'r',
    ...some,
  };
}

function found(some: Partial<DriftFindings> = {}): DriftFindings {
  return {
    sync: 'drift',
    inputs: 'unchanged',
    complete: true,
    resources: [resource()],
    outputs: [],
    failedChecks: [],
    fingerprint: 'f1',
    canonicalDigest: 'c',
    ...some,
  };
}

const MET: RemediationFacts = {
  now: at(0),
  title: 'prod',
  trigger: 'holdfast',
  actor: person('ann'),
  mode: 'report',
  listed: true,
  applicable: { ok: true },
  requirements: [],
  approvals: [],
  suspension: undefined,
  lock: undefined,
  applying: false,
  wanted: 'f1',
  seen: { fingerprint: 'f1', found: found() },
  destroys: [],
};

const unmet = (some: Partial<RemediationFacts>) => findUnmetForRemediation({ ...MET, ...some });
const withFindings = (some: Partial<DriftFindings>, fingerprint: string | undefined = 'f1') => ({
  seen: { fingerprint, found: found(some) },
});

test('nothing stands in the way', () => expect(unmet({})).toEqual([]));

describe('each point by itself', () => {
  test.each<[string, Partial<RemediationFacts>, string, string]>([
    [
      'mode',
      { mode: 'off' },
      'its drift is not put right from here: its mode is `off`',
      'Open a pull request, or have `drift.mode` set to `report`.',
    ],
    [
      'not on the branch',
      { listed: false },
      'it is not on the tracked branch any more, or its repository is archived',
      'Bring it back first.',
    ],
    [
      'backend',
      { applicable: { ok: false, reason: 'no backend', next: 'Declare one.' } },
      'no backend',
      'Declare one.',
    ],
    [
      'suspended',
      { suspension: { reason: 'we move', by: 'bob', since: at(-60), until: undefined } },
      '@bob suspended it: we move',
      'Talk to them, or comment `holdfast drift resume`.',
    ],
    [
      'locked',
      { lock: { number: 12, who: 'bob' } },
      'it is locked by #12 (bob)',
      'Wait until #12 is merged or closed, or have it unlocked there with `holdfast unlock`.',
    ],
    ['applying', { applying: true }, 'it is being applied at this moment', 'Wait for the end of it.'],
    [
      'nothing reported',
      { wanted: undefined },
      'no drift of it is reported',
      'Comment `holdfast drift run` to have it checked.',
    ],
    ['gone', { seen: { fingerprint: undefined, found: found() } }, 'the drift is gone', 'Nothing has to be done.'],
    [
      'another',
      { seen: { fingerprint: 'f2', found: found() } },
      'the drift is another one now: f2 instead of f1',
      'Read the report, which will show it in a moment, and say it again.',
    ],
    [
      'not approved',
      { requirements: ['approved'] },
      'it is not approved: an approval counts from a second person who may apply, for this very drift',
      'Ask somebody else to comment `holdfast approve f1`.',
    ],
    [
      'baseline',
      withFindings({ inputs: 'unknown' }),
      'nobody knows what of it was applied last: no apply and no check without a finding is on record',
      'Apply it once through a pull request.',
    ],
    [
      'partial plan',
      withFindings({ complete: false }),
      'its plan leaves something out, so nobody knows what an apply would come to',
      'Take `-target` and the like out of its workflow, or apply it through a pull request.',
    ],
  ])('%s', (_, facts, what, next) => expect(unmet(facts)).toEqual([{ project: 'prod', what, next }]));

  test('the actor', () => {
    expect(unmet({ actor: person('ann', { permission: 'triage' }) })).toEqual([
      {
        project: undefined,
        what: 'ann has triage permission on the repository, and `apply` needs write',
        next: 'Ask somebody with write permission.',
      },
    ]);
    expect(unmet({ actor: person('ann', { refusal: 'here only ops may' }) })).toEqual([
      { project: undefined, what: 'here only ops may', next: 'Ask somebody who may.' },
    ]);
  });
});

test('everything that is unmet is told at once', () => {
  const all = unmet({
    actor: person('ann', { permission: 'none', refusal: 'here only ops may' }),
    mode: 'off',
    listed: false,
    applicable: { ok: false, reason: 'no backend', next: 'Declare one.' },
    requirements: ['approved'],
    suspension: { reason: 'we move', by: 'bob', since: at(-60), until: at(60) },
    lock: { number: 12, who: 'bob' },
    applying: true,
    seen: {
      fingerprint: 'f2',
      found: found({
        inputs: 'unknown',
        complete: false,
        resources: [resource({ destructive: true, kind: 'pending', attributes: [] })],
      }),
    },
  });
  expect(all).toHaveLength(14);
});

test('a suspension that is over is none', () => {
  expect(unmet({ suspension: { reason: 'we move', by: 'bob', since: at(-60), until: at(0) } })).toEqual([]);
});

describe('approval', () => {
  const approvedBy = (by: Person, fingerprint = 'f1') =>
    unmet({ requirements: ['approved', 'mergeable'], approvals: [{ by, fingerprint }] }).length === 0;

  test('is somebody else’s, who may apply, for this drift', () => {
    expect(approvedBy(person('bob'))).toBe(true);
    expect(approvedBy(person('bob', { permission: 'admin' }))).toBe(true);
    expect(approvedBy(person('ann'))).toBe(false);
    expect(approvedBy({ ...person('renamed'), account: { id: buildAccount('ann').id, login: 'renamed' } })).toBe(false);
    expect(approvedBy(person('bob', { permission: 'triage' }))).toBe(false);
    expect(approvedBy(person('bob', { refusal: 'not in the team' }))).toBe(false);
    expect(approvedBy(person('bob'), 'f0')).toBe(false);
  });

  test('one that counts is enough', () => {
    const approvals = [
      { by: person('ann'), fingerprint: 'f1' },
      { by: person('bob'), fingerprint: 'f0' },
      { by: person('eve'), fingerprint: 'f1' },
    ];
    expect(unmet({ requirements: ['approved'], approvals })).toEqual([]);
  });

  test('requirements that only a pull request can meet are not asked for', () => {
    expect(unmet({ requirements: ['mergeable', 'undiverged'] })).toEqual([]);
  });

  test('is not asked for where nothing is reported', () => {
    expect(unmet({ requirements: ['approved'], wanted: undefined })).toHaveLength(1);
  });
});

describe('what would come with it', () => {
  const more = (what: string) => [
    {
      project: 'prod',
      what: `an apply would do more than put the drift right: ${what} would change because of the code or of what it reads`,
      next: 'Apply that through a pull request; the drift goes with it.',
    },
  ];
  const other = (some: Partial<ResourceDifference>) => resource({ address: 'a.other', ...some });

  test.each(['pending', 'baseline_unknown', 'external'] as const)('%s is more than drift', (kind) => {
    expect(unmet(withFindings({ resources: [resource(), other({ kind, attributes: [attribute(kind)] })] }))).toEqual(
      more('`a.other`'),
    );
    expect(unmet(withFindings({ resources: [other({ attributes: [attribute('drift'), attribute(kind)] })] }))).toEqual(
      more('`a.other`'),
    );
    expect(unmet(withFindings({ resources: [other({ kind, attributes: [] })] }))).toEqual(more('`a.other`'));
  });

  test.each(['consequence', 'state_only', 'absorbed', 'drift'] as const)('%s is not', (kind) => {
    expect(unmet(withFindings({ resources: [resource(), other({ kind, attributes: [attribute(kind)] })] }))).toEqual(
      [],
    );
  });

  test('what an apply leaves alone does not count', () => {
    const left = other({ kind: 'external', action: undefined, attributes: [attribute('external')] });
    expect(unmet(withFindings({ resources: [resource(), left] }))).toEqual([]);
  });

  test('a third value is the code’s where the code has changed', () => {
    const conflict = [other({ kind: 'conflict', attributes: [attribute('conflict')] })];
    expect(unmet(withFindings({ resources: conflict }))).toEqual([]);
    expect(unmet(withFindings({ resources: conflict, inputs: 'changed' }))).toEqual(more('`a.other`'));
  });

  test('so may be what was not looked at', () => {
    const cut = [other({ attributesLeftOut: 3 })];
    expect(unmet(withFindings({ resources: cut }))).toEqual([]);
    expect(unmet(withFindings({ resources: cut, inputs: 'changed' }))).toEqual(more('`a.other`'));
  });

  test('a commit that changes nothing of it does no harm', () => {
    expect(unmet(withFindings({ inputs: 'changed' }))).toEqual([]);
  });

  test('outputs', () => {
    const output = (name: string, kind: DriftFindings['outputs'][number]['kind']) => ({
      name,
      kind,
      applied: undefined,
      live: undefined,
      wanted: undefined,
      unknown: false,
      sensitive: false,
    });
    expect(unmet(withFindings({ outputs: [output('url', 'consequence'), output('ip', 'state_only')] }))).toEqual([]);
    expect(
      unmet(withFindings({ outputs: [output('url', 'external')], resources: [other({ kind: 'pending' })] })),
    ).toEqual(more('`a.other`, `output.url`'));
  });

  test('many are counted', () => {
    const many = Array.from({ length: 12 }, (_, index) => other({ address: `a.n${index}`, kind: 'pending' }));
    expect(unmet(withFindings({ resources: many }))[0]?.what).toContain('`a.n9` and 2 more would change');
    expect(unmet(withFindings({ resources: many.slice(0, 10) }))[0]?.what).toContain('`a.n9` would change');
  });
});

describe('what would be deleted', () => {
  const gone = (address: string) => resource({ address, destructive: true, action: 'replace' });

  test('is named one by one', () => {
    const resources = [resource(), gone('a.b'), gone('c.d["x y"]')];
    expect(unmet({ ...withFindings({ resources }) })).toEqual([
      {
        project: 'prod',
        what: 'it would delete `a.b`, `c.d["x y"]`, and nobody said that it may',
        next: 'If it may: `holdfast apply --allow-destroy a.b --allow-destroy "c.d[\\"x y\\"]"`.',
      },
    ]);
    expect(unmet({ ...withFindings({ resources }), destroys: ['c.d["x y"]'] })).toEqual([
      {
        project: 'prod',
        what: 'it would delete `a.b`, and nobody said that it may',
        next: 'If it may: `holdfast apply --allow-destroy "c.d[\\"x y\\"]" --allow-destroy a.b`.',
      },
    ]);
    expect(unmet({ ...withFindings({ resources }), destroys: ['a.b', 'c.d["x y"]', 'e.f'] })).toEqual([]);
  });

  test('also where it is only a consequence', () => {
    const resources = [
      resource(),
      resource({ address: 'a.b', kind: 'consequence', destructive: true, attributes: [] }),
    ];
    expect(unmet(withFindings({ resources }))).toHaveLength(1);
  });

  test('too many are no matter for a command', () => {
    const many = (count: number) =>
      withFindings({ resources: Array.from({ length: count }, (_, index) => gone(`a.n${index}`)) });
    expect(unmet(many(10))[0]?.next).toMatch(/^If it may: `holdfast apply --allow-destroy a\.n0 /);
    expect(unmet(many(11))[0]).toMatchObject({
      what: expect.stringContaining('`a.n9` and 1 more, and nobody'),
      next: 'So much is better applied through a pull request.',
    });
  });
});
