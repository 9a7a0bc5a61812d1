import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { kindsOf } from '../../support/drift-findings.ts';
import { createDriftStage, type DriftStage } from '../../support/drift-stage.ts';

let stage: DriftStage;

beforeEach(async () => {
  stage = await createDriftStage();
});
afterEach(() => stage[Symbol.asyncDispose]());

interface Rule {
  readonly port: number;
  readonly cidr: string;
}

const F = 'fakecloud_firewall.f';
const hcl = (value: unknown) => JSON.stringify(value);

function firewall(zones: readonly string[], groups: readonly string[], rules: readonly Rule[]): string {
  const list = rules.map(({ port, cidr }) => `{ port = ${port}, cidr = ${hcl(cidr)} }`).join(', ');
  return `resource "fakecloud_firewall" "f" {
  name = "f"
  zones = ${hcl(zones)}
  groups = ${hcl(groups)}
  rules = [${list}]
}
`;
}

const ZONES = ['b', 'a', 'c'];
const GROUPS = ['sg-1', 'sg-2', 'sg-3'];
const RULES = [80, 443, 8080, 5432].map((port) => ({ port, cidr: '10.0.0.0/8' }));

async function applied(code: string): Promise<void> {
  await stage.code(code);
  await stage.apply();
}

describe('lists and sets', () => {
  beforeEach(() => applied(firewall(ZONES, GROUPS, RULES)));

  test('in another order: a list differs, sets do not', async () => {
    await stage.edit('f', { groups: GROUPS.toReversed(), rules: RULES.toReversed() });
    expect((await stage.check('unchanged')).sync).toBe('in_sync');
    await stage.edit('f', { zones: ZONES.toReversed() });
    const found = await stage.check('unchanged');
    expect(found.resources[0]?.attributes).toMatchObject([
      { path: 'zones', kind: 'drift', applied: '["b","a","c"]', live: '["c","a","b"]' },
    ]);
  });

  test('an element of a list changed in place', async () => {
    await stage.edit('f', { zones: ['b', 'x', 'c'] });
    expect((await stage.check('unchanged')).resources[0]?.attributes).toMatchObject([
      { path: 'zones[1]', kind: 'drift', applied: '"a"', live: '"x"', wanted: '"a"' },
    ]);
  });

  test('an element put into a set by hand, and another by the code', async () => {
    await stage.edit('f', { groups: [...GROUPS, 'sg-0'] });
    await stage.code(firewall(ZONES, ['sg-9', ...GROUPS], RULES));
    const found = await stage.check('changed');
    expect(found.resources[0]?.attributes).toMatchObject([
      { path: 'groups[*]', kind: 'drift', applied: undefined, live: '"sg-0"', wanted: undefined },
      { path: 'groups[*]', kind: 'pending', applied: undefined, live: undefined, wanted: '"sg-9"' },
    ]);
  });

  test('an element taken out of a set by hand, and another by the code', async () => {
    await stage.edit('f', { groups: ['sg-2', 'sg-3'] });
    await stage.code(firewall(ZONES, ['sg-2', 'sg-1'], RULES));
    const found = await stage.check('changed');
    expect(found.resources[0]?.attributes).toMatchObject([
      { path: 'groups[*]', kind: 'drift', applied: '"sg-1"', live: undefined, wanted: '"sg-1"' },
      { path: 'groups[*]', kind: 'pending', applied: '"sg-3"', live: '"sg-3"', wanted: undefined },
    ]);
  });

  test('one element of a set of objects changed by hand, and another by the code', async () => {
    const opened = RULES.map((rule) => (rule.port === 443 ? { ...rule, cidr: '0.0.0.0/0' } : rule));
    const narrowed = RULES.map((rule) => (rule.port === 5432 ? { ...rule, cidr: '10.1.0.0/16' } : rule));
    await stage.edit('f', { rules: opened });
    await stage.code(firewall(ZONES, GROUPS, narrowed));
    const attributes = (await stage.check('changed')).resources[0]?.attributes ?? [];
    expect(attributes.map(({ path, ...rest }) => ({ ...rest, path: path.replace(/\d+/, 'n') }))).toMatchObject([
      { path: 'rules[n].cidr', kind: 'drift', applied: '"10.0.0.0/8"', live: '"0.0.0.0/0"', wanted: '"10.0.0.0/8"' },
      { path: 'rules[n].cidr', kind: 'pending', live: '"10.0.0.0/8"', wanted: '"10.1.0.0/16"' },
    ]);
  });

  test('all elements of a set of objects changed by hand', async () => {
    await stage.edit('f', { rules: RULES.map(({ port }) => ({ port: port + 1, cidr: '0.0.0.0/0' })) });
    const found = await stage.check('unchanged');
    expect(new Set(Object.values(kindsOf(found)))).toEqual(new Set(['drift']));
    await stage.edit('f', { rules: [] });
    const empty = await stage.check('unchanged');
    expect(new Set(Object.values(kindsOf(empty)))).toEqual(new Set(['drift']));
    expect(empty.fingerprint).not.toBe(found.fingerprint);
    await stage.edit('f', { rules: null, zones: null, groups: null });
    expect(new Set(Object.values(kindsOf(await stage.check('unchanged'))))).toEqual(new Set(['drift']));
  });

  test('a hot-fix of a set that was merged, in whatever order', async () => {
    await stage.edit('f', { groups: ['sg-1', 'sg-2', 'sg-3', 'sg-4'], zones: ['b', 'a'] });
    await stage.code(firewall(['b', 'a'], ['sg-4', 'sg-3', 'sg-2', 'sg-1'], RULES));
    const found = await stage.check('changed');
    expect(found).toMatchObject({ exitCode: 0, sync: 'absorbed' });
    expect(kindsOf(found)).toEqual({ [`${F} groups[*]`]: 'absorbed', [`${F} zones[*]`]: 'absorbed' });
  });
});

describe('maps and secrets', () => {
  const object = (rest: string) => `resource "fakecloud_object" "a" {\n name = "a"\n ${rest}\n}\n`;
  const A = 'fakecloud_object.a';

  test('keys of a map that came, went and changed', async () => {
    await applied(object('tags = { team = "x", env = "dev", "dotted.key" = "1" }'));
    await stage.edit('a', { tags: { team: 'y', 'dotted.key': '2', 'new key': 'z' } });
    expect(kindsOf(await stage.check('unchanged'))).toEqual({
      [`${A} tags.env`]: 'drift',
      [`${A} tags.team`]: 'drift',
      [`${A} tags["dotted.key"]`]: 'drift',
      [`${A} tags["new key"]`]: 'drift',
    });
  });

  test('a map that nobody asked for', async () => {
    await applied(object(''));
    await stage.edit('a', { tags: { owner: 'somebody' } });
    const found = await stage.check('unchanged');
    expect(found.resources[0]?.attributes).toMatchObject([
      { path: 'tags.owner', kind: 'drift', applied: undefined, live: '"somebody"', wanted: undefined },
    ]);
  });

  test('a secret that was changed is seen and not told', async () => {
    await applied(object('secret = "correct-horse"'));
    await stage.edit('a', { secret: 'battery-staple' });
    const found = await stage.check('unchanged');
    expect(found.resources[0]?.attributes).toMatchObject([
      { path: 'secret', kind: 'drift', sensitive: true, applied: '(sensitive value)', live: '(sensitive value)' },
    ]);
    await stage.edit('a', { secret: 'another-secret' });
    const other = await stage.check('unchanged');
    expect(other.fingerprint).not.toBe(found.fingerprint);
    expect(JSON.stringify([found, other])).not.toMatch(/correct-horse|battery-staple|another-secret/);
  });

  test('a value that a variable makes sensitive is not told either, nor does the mark alone count', async () => {
    const variable = 'variable "v" {\n default = "plain-text"\n sensitive = true\n}\n';
    await applied(`${variable}${object('content = var.v')}output "o" {\n value = var.v\n sensitive = true\n}\n`);
    await stage.edit('a', { content: 'by-hand' });
    const found = await stage.check('unchanged');
    expect(found.resources[0]?.attributes).toMatchObject([{ path: 'content', kind: 'drift', sensitive: true }]);
    expect(JSON.stringify(found)).not.toMatch(/plain-text|by-hand/);
    await stage.apply();
    await stage.code(`${variable.replace('sensitive = true', '')}${object('content = var.v')}`);
    const unmarked = await stage.check('changed');
    expect(kindsOf(unmarked)).toEqual({ [`${A} (all)`]: 'pending' });
    expect(unmarked.outputs).toMatchObject([{ name: 'o', kind: 'pending', sensitive: true }]);
    expect(JSON.stringify(unmarked)).not.toContain('plain-text');
  });
});
