import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { kindsOf } from '../../support/drift-findings.ts';
import { createDriftStage, type DriftStage } from '../../support/drift-stage.ts';

let stage: DriftStage;

beforeEach(async () => {
  stage = await createDriftStage();
});
afterEach(() => stage[Symbol.asyncDispose]());

const object = (label: string, rest: string, name = label) =>
  `resource "fakecloud_object" "${label}" {\n name = "${name}"\n ${rest}\n}\n`;
const A = 'fakecloud_object.a';

async function applied(code: string): Promise<void> {
  await stage.code(code);
  await stage.apply();
}

describe('instances', () => {
  const counted = (count: number) =>
    `resource "fakecloud_object" "a" {\n count = ${count}\n name = "a\${count.index}"\n content = "one"\n}\n`;
  const each = (...keys: string[]) =>
    `resource "fakecloud_object" "a" {\n for_each = toset(${JSON.stringify(keys)})\n name = each.key\n content = "one"\n}\n`;

  test('of count: one drifts, one is to go', async () => {
    await applied(counted(3));
    await stage.edit('a1', { content: 'hot-fix' });
    await stage.code(counted(2));
    const found = await stage.check('changed');
    expect(kindsOf(found)).toEqual({ [`${A}[1] content`]: 'drift', [`${A}[2] (all)`]: 'pending' });
    expect(found.resources).toMatchObject([
      { destructive: false },
      { action: 'delete', destructive: true, reason: 'delete_because_count_index' },
    ]);
  });

  test('of for_each, in a module: one is missing, one is new', async () => {
    await stage.write(
      'm/main.tf',
      `terraform {\n required_providers {\n fakecloud = { source = "holdfast/fakecloud" }\n }\n}\n${each('x', 'y')}`,
    );
    await applied('module "m" {\n for_each = toset(["k"])\n source = "./m"\n}\n');
    await stage.edit('x', undefined);
    await stage.write(
      'm/main.tf',
      `terraform {\n required_providers {\n fakecloud = { source = "holdfast/fakecloud" }\n }\n}\n${each('x', 'y', 'z')}`,
    );
    const found = await stage.check('changed');
    expect(kindsOf(found)).toEqual({
      [`module.m["k"].${A}["x"] (all)`]: 'drift',
      [`module.m["k"].${A}["z"] (all)`]: 'pending',
    });
  });

  test('a hot-fix merged in a module is absorbed there', async () => {
    const module = (content: string) =>
      stage.write(
        'm/main.tf',
        `terraform {\n required_providers {\n fakecloud = { source = "holdfast/fakecloud" }\n }\n}\n${object('a', `content = "${content}"`)}`,
      );
    await module('one');
    await applied('module "m" {\n count = 1\n source = "./m"\n}\n');
    await stage.edit('a', { content: 'hot-fix' });
    await module('hot-fix');
    expect(kindsOf(await stage.check('unknown'))).toEqual({ [`module.m[0].${A} content`]: 'absorbed' });
  });
});

describe('what the code declares of an object', () => {
  const moved = `${object('new', 'content = "one"', 'a')}moved {\n from = ${A}\n to = fakecloud_object.new\n}\n`;

  test('moved: pending', async () => {
    await applied(object('a', 'content = "one"'));
    await stage.code(moved);
    const found = await stage.check('changed');
    expect(found.sync).toBe('pending');
    expect(found.resources).toMatchObject([{ address: 'fakecloud_object.new', action: 'move', destructive: false }]);
  });

  test('moved and changed by hand: drift under its new name, and the move is pending', async () => {
    await applied(object('a', 'content = "one"'));
    await stage.edit('a', { content: 'hot-fix' });
    await stage.code(moved);
    const found = await stage.check('changed');
    expect(kindsOf(found)).toEqual({
      'fakecloud_object.new content': 'drift',
      'fakecloud_object.new (all)': 'pending',
    });
  });

  test('moved and deleted by hand: missing under its new name', async () => {
    await applied(object('a', 'content = "one"'));
    await stage.edit('a', undefined);
    await stage.code(moved);
    const found = await stage.check('changed');
    expect(kindsOf(found)).toEqual({ 'fakecloud_object.new (all)': 'drift' });
    expect(found.resources).toMatchObject([{ missing: true, action: 'create' }]);
  });

  test('forgotten: pending, and nothing real is deleted', async () => {
    await applied(object('a', 'content = "one"'));
    await stage.code(`removed {\n from = ${A}\n lifecycle {\n destroy = false\n }\n}\n`);
    expect((await stage.check('changed')).resources).toMatchObject([
      { address: A, kind: 'pending', action: 'forget', destructive: false },
    ]);
  });

  test('imported, and changed with it: pending', async () => {
    await stage.put('a', { content: 'made by hand' });
    await stage.code(`${object('a', 'content = "one"')}import {\n to = ${A}\n id = "a"\n}\n`);
    const found = await stage.check('changed');
    expect(found.sync).toBe('pending');
    expect(kindsOf(found)).toEqual({ [`${A} (all)`]: 'pending', [`${A} content`]: 'pending' });
  });

  test('dropped: pending and destructive, whatever was changed by hand', async () => {
    await applied(object('a', 'content = "one"'));
    await stage.edit('a', { content: 'hot-fix' });
    await stage.code('');
    const found = await stage.check('changed');
    expect(found.sync).toBe('pending');
    // Of an object that the code does not want any more, Terraform lists no drift.
    expect(kindsOf(found)).toEqual({ [`${A} (all)`]: 'pending' });
    expect(found.resources).toMatchObject([{ action: 'delete', destructive: true }]);
  });

  test('dropped and deleted by hand before: nothing is left to do', async () => {
    await applied(object('a', 'content = "one"') + object('b', ''));
    await stage.edit('a', undefined);
    await stage.code(object('b', ''));
    expect(await stage.check('changed')).toMatchObject({ exitCode: 0, sync: 'absorbed' });
    expect(await stage.check('unchanged')).toMatchObject({ sync: 'state_only', fingerprint: undefined });
  });
});

describe('what an apply left unfinished', () => {
  test('a tainted object: pending, whatever the inputs', async () => {
    await applied(object('a', 'content = "one"'));
    await stage.terraform('taint', A);
    for (const inputs of ['changed', 'unchanged', 'unknown'] as const) {
      const found = await stage.check(inputs);
      expect(found).toMatchObject({ exitCode: 2, sync: 'pending' });
      expect(found.resources).toMatchObject([
        { action: 'replace', reason: 'replace_because_tainted', destructive: true },
      ]);
    }
  });

  test('a deposed object: pending beside the one that took its place', async () => {
    const named = (name: string) => object('a', 'lifecycle {\n create_before_destroy = true\n }', name);
    await applied(named('old'));
    await stage.faults({ op: 'delete', error: 'cannot delete' });
    await stage.code(named('new'));
    await expect(stage.apply()).rejects.toThrow('cannot delete');
    await stage.faults();
    await stage.edit('new', { content: 'hot-fix' });
    const found = await stage.check('unchanged');
    expect(found.sync).toBe('drift');
    expect(found.resources).toMatchObject([
      { address: A, kind: 'drift', action: 'update' },
      { address: expect.stringMatching(/^fakecloud_object\.a \(deposed \w+\)$/), kind: 'pending', action: 'delete' },
    ]);
  });
});

describe('when the state was edited', () => {
  test('an object that was taken out of it is neither drift nor pending', async () => {
    await applied(object('a', 'content = "one"'));
    await stage.terraform('state', 'rm', A);
    const found = await stage.check('unchanged');
    expect(found).toMatchObject({ exitCode: 2, sync: 'external', fingerprint: undefined });
    expect(kindsOf(found)).toEqual({ [`${A} (all)`]: 'external' });
  });

  test('what was accepted into it alone is still not what the code says', async () => {
    await applied(object('a', 'content = "one"'));
    await stage.edit('a', { content: 'hot-fix' });
    await stage.apply('-refresh-only');
    const found = await stage.check('unchanged');
    expect(found).toMatchObject({ exitCode: 2, sync: 'external' });
    expect(kindsOf(found)).toEqual({ [`${A} content`]: 'external' });
  });
});
