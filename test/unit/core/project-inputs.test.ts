import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestProjectInputs, listProjectInputs, type InputEntry } from '../../../src/core/project-inputs.ts';
import type { Project } from '../../../src/core/project.ts';
import { readConfiguration } from '../../../src/core/root-module.ts';
import { DEFAULT_WORKFLOW } from '../../../src/core/workflow.ts';
import type { JsonObject } from '../../../src/core/configuration-file.ts';

const PROJECT: Project = {
  dir: 'envs/prod',
  workspace: 'default',
  name: undefined,
  workflow: DEFAULT_WORKFLOW,
  terraformVersion: undefined,
  terraformDistribution: 'terraform',
  autoplan: { enabled: true, whenModified: ['**/*.tf', '../shared/*.json'] },
  planRequirements: [],
  applyRequirements: ['approved'],
  executionOrderGroup: 0,
  dependsOn: [],
  repoLocks: 'on_plan',
};

const BODIES: Readonly<Record<string, JsonObject>> = {
  'envs/prod/main.tf': {
    module: { net: [{ source: '../../modules/net' }], gone: [{ source: '../../modules/gone' }] },
    locals: [{ a: '${file("${path.module}/../../files/policy.json")}', b: '${templatefile("../tpl/user.tftpl", {})}' }],
  },
  'modules/net/main.tf': { module: { deep: [{ source: '../deep' }] } },
  'modules/deep/main.tf': { locals: [{ c: '${file("${path.module}/../data/x.txt")}' }] },
  'modules/other/main.tf': {},
};

const INPUTS = [
  'envs/prod/main.tf',
  'envs/prod/.terraform.lock.hcl',
  'envs/prod/templates/a.tpl',
  'modules/net/main.tf',
  'modules/net/files/x',
  'modules/deep/main.tf',
  'modules/data/x.txt',
  'files/policy.json',
  'envs/tpl/user.tftpl',
  'envs/shared/tags.json',
];
const OTHERS = [
  'README.md',
  'envs/production/main.tf',
  'envs/staging/main.tf',
  'modules/other/main.tf',
  'modules/network/x.tf',
  'files/other.json',
  'envs/shared/x.txt',
  'prod',
];

const entry = (path: string, oid = '1'.repeat(40), kind: InputEntry['kind'] = 'file'): InputEntry => ({
  path,
  oid,
  kind,
});
const ENTRIES = [...INPUTS, ...OTHERS].map((path) => entry(path));

function commit(entries: readonly InputEntry[]) {
  const parsed = Object.entries(BODIES).map(([path, body]) => ({ path, body }));
  return {
    entries,
    configuration: readConfiguration(
      entries.map(({ path }) => path),
      parsed,
      'terraform',
    ),
  };
}
const digest = (entries: readonly InputEntry[], project = PROJECT) => digestProjectInputs(commit(entries), project);
const change = (path: string, by: Partial<InputEntry>) => ENTRIES.map((e) => (e.path === path ? { ...e, ...by } : e));

describe('project inputs', () => {
  test('are the folder, local modules transitively, matches and files named literally', () => {
    expect(
      listProjectInputs(commit(ENTRIES), PROJECT)
        .map(({ path }) => path)
        .sort(),
    ).toEqual([...INPUTS].sort());
  });

  test('the digest does not depend on the order of the files', () => {
    const expected = digest(ENTRIES);
    expect(expected).toMatch(/^[0-9a-f]{64}$/);
    fc.assert(
      fc.property(fc.shuffledSubarray(ENTRIES, { minLength: ENTRIES.length }), (entries) => {
        expect(digest(entries)).toBe(expected);
      }),
    );
  });

  test('any change of any input changes it', () => {
    const change1 = fc.constantFrom<Partial<InputEntry>>({ oid: '2'.repeat(40) }, { kind: 'executable' });
    fc.assert(
      fc.property(fc.constantFrom(...INPUTS), change1, (path, by) => {
        expect(digest(change(path, by))).not.toBe(digest(ENTRIES));
        expect(digest(ENTRIES.filter((e) => e.path !== path))).not.toBe(digest(ENTRIES));
        expect(digest([...ENTRIES, entry(`envs/prod/new-${path.length}`)])).not.toBe(digest(ENTRIES));
      }),
    );
  });

  test('two sets of inputs that differ have different digests', () => {
    const set = fc.uniqueArray(fc.tuple(fc.string({ maxLength: 3 }), fc.constantFrom('1', '2', '11')), {
      selector: ([path]) => path,
      maxLength: 4,
    });
    fc.assert(
      fc.property(set, set, (a, b) => {
        const of = (pairs: typeof a) => pairs.map(([path, oid]) => entry(`envs/prod/${path}`, oid));
        const plain = (pairs: typeof a) => JSON.stringify([...pairs].sort());
        expect(digest(of(a)) === digest(of(b))).toBe(plain(a) === plain(b));
      }),
    );
  });

  test('a change elsewhere does not', () => {
    fc.assert(
      fc.property(fc.constantFrom(...OTHERS), fc.constantFrom('new', 'gone', 'changed'), (path, how) => {
        const entries =
          how === 'gone'
            ? ENTRIES.filter((e) => e.path !== path)
            : how === 'new'
              ? [...ENTRIES, entry(`${path}.new`)]
              : change(path, { oid: '3'.repeat(40) });
        expect(digest(entries)).toBe(digest(ENTRIES));
      }),
    );
  });

  test('a module that is called but not there counts as soon as it appears', () => {
    expect(digest([...ENTRIES, entry('modules/gone/x.txt')])).not.toBe(digest(ENTRIES));
  });

  test.each<Partial<Project>>([
    { dir: 'envs/staging' },
    { workspace: 'blue' },
    { name: 'x' },
    { terraformVersion: '1.11.4' },
    { terraformDistribution: 'opentofu' },
    { autoplan: { enabled: true, whenModified: ['**/*.tf'] } },
    { workflow: { ...DEFAULT_WORKFLOW, plan: [{ kind: 'plan', extraArgs: ['-refresh=false'] }] } },
  ])('what decides what is run counts: %j', (by) => {
    expect(digest(ENTRIES, { ...PROJECT, ...by })).not.toBe(digest(ENTRIES));
  });

  test.each<Partial<Project>>([
    { autoplan: { ...PROJECT.autoplan, enabled: false } },
    { applyRequirements: [] },
    { executionOrderGroup: 3 },
    { repoLocks: 'disabled' },
  ])('what decides when and by whom does not: %j', (by) => {
    expect(digest(ENTRIES, { ...PROJECT, ...by })).toBe(digest(ENTRIES));
  });

  test('with a custom workflow the whole repository counts', () => {
    const step = {
      kind: 'run',
      output: 'show',
      filterRegexes: [],
      command: 'make',
      shell: 'sh',
      shellArgs: ['-c'],
    } as const;
    const project = { ...PROJECT, workflow: { ...DEFAULT_WORKFLOW, plan: [step] } };
    expect(digest(change('README.md', { oid: '4'.repeat(40) }), project)).not.toBe(digest(ENTRIES, project));
  });

  test.each([
    [['-var-file=../../files/other.json']],
    [['-var-file', '../../files/other.json']],
    [['--var-file=../../files/other.json']],
    [['-backend-config=../../files/other.json']],
  ])('a file that extra arguments name counts: %j', (extraArgs) => {
    const project: Project = { ...PROJECT, workflow: { ...DEFAULT_WORKFLOW, plan: [{ kind: 'plan', extraArgs }] } };
    expect(digest(change('files/other.json', { oid: '5'.repeat(40) }), project)).not.toBe(digest(ENTRIES, project));
  });

  test.each([
    ['in the folder', [entry('envs/prod/common.tf', undefined, 'symlink')]],
    ['in place of a module', [entry('modules/gone', undefined, 'symlink')]],
    ['on the way to a file', [entry('envs/tpl', undefined, 'symlink')]],
  ])('with a symlink %s the whole repository counts', (_where, links) => {
    const entries = [...ENTRIES.filter((e) => !e.path.startsWith('envs/tpl/')), ...links];
    const changed = entries.map((e) => (e.path === 'README.md' ? { ...e, oid: '6'.repeat(40) } : e));
    expect(digest(changed)).not.toBe(digest(entries));
  });

  test('with a symlink elsewhere it does not', () => {
    const entries = [...ENTRIES, entry('docs/link', undefined, 'symlink')];
    const changed = entries.map((e) => (e.path === 'README.md' ? { ...e, oid: '6'.repeat(40) } : e));
    expect(digest(changed)).toBe(digest(entries));
  });
});
