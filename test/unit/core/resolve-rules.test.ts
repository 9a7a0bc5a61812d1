import { describe, expect, test } from 'vitest';
import { resolveRules, servesBranch } from '../../../src/core/resolve-rules.ts';
import { DEFAULT_WORKFLOW } from '../../../src/core/workflow.ts';
import { buildDriftKeys } from '../../support/builders.ts';
import { CUSTOM, rule, rules } from './finder-fixture.ts';

const drift = buildDriftKeys();

describe('rules laid over one another', () => {
  test('without any, nothing is allowed and nothing is demanded', () => {
    expect(rules()).toMatchObject({
      branch: undefined,
      configFiles: ['holdfast.yaml', 'atlantis.yaml'],
      planRequirements: [],
      applyRequirements: [],
      workflow: DEFAULT_WORKFLOW,
      allowedOverrides: [],
      allowedWorkflows: [],
      allowCustomWorkflows: false,
      repoLocks: 'on_plan',
      autodiscover: undefined,
      permissions: {},
    });
  });

  test('per key, the last entry that sets it counts', () => {
    const got = rules(
      { applyRequirements: ['approved'], workflow: 'custom', repoLocks: 'on_apply', allowCustomWorkflows: true },
      {
        id: 'github.com/acme/infra',
        applyRequirements: [],
        repoConfigFile: 'x/y.yaml',
        permissions: { plan: ['a/b'] },
      },
      { id: 'github.com/acme/other', workflow: 'default', allowCustomWorkflows: false },
      { allowCustomWorkflows: false, branch: 'main' },
    );
    expect(got).toMatchObject({
      applyRequirements: [],
      workflow: CUSTOM,
      repoLocks: 'on_apply',
      allowCustomWorkflows: false,
      configFiles: ['x/y.yaml'],
      permissions: { plan: ['a/b'] },
      branch: 'main',
    });
  });

  test('drift keys: the server’s, then those of every entry that matches', () => {
    const keys = (confirmations: number) => buildDriftKeys({ confirmations });
    const got = rules({ drift: keys(3) }, { id: 'github.com/acme/other', drift: keys(4) }, {}, { drift: keys(5) });
    expect(got.drift.map((one) => one.confirmations)).toEqual([undefined, 3, 5]);
  });

  test('the server may redefine the default workflow', () => {
    const defaults = {
      workflows: new Map([['default', CUSTOM]]),
      repoLocks: 'on_plan',
      permissions: {},
      drift,
    } as const;
    expect(resolveRules([], defaults, 'h/o/n').workflow).toBe(CUSTOM);
  });

  test('the server’s defaults stand below', () => {
    const defaults = { workflows: new Map(), repoLocks: 'disabled', permissions: { apply: ['a/b'] }, drift } as const;
    expect(resolveRules([], defaults, 'h/o/n')).toMatchObject({
      repoLocks: 'disabled',
      permissions: { apply: ['a/b'] },
    });
    expect(resolveRules([rule({ permissions: {} })], defaults, 'h/o/n').permissions).toEqual({});
  });

  test.each([
    ['github.com/acme/infra', true],
    ['GitHub.com/Acme/Infra', true],
    ['github.com/acme', false],
    ['github.com/acme/infra2', false],
    ['/acme/', true],
    ['github.com/acme/infra/', false],
    ['/ACME/', true],
    ['/^acme/', false],
    ['/github.com/acme/.*/', true],
  ])('%s', (id, matches) => {
    expect(rules({ id, allowCustomWorkflows: true }).allowCustomWorkflows).toBe(matches);
  });

  test('base branches', () => {
    expect(servesBranch({ branch: undefined }, 'any')).toBe(true);
    expect(servesBranch({ branch: '(master|main)' }, 'main')).toBe(true);
    expect(servesBranch({ branch: '^main$' }, 'maintenance')).toBe(false);
    expect(servesBranch({ branch: '(' }, 'main')).toBe(false);
  });
});
