import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { kindsOf } from '../../support/drift-findings.ts';
import { createDriftStage, classifyPlan, type DriftStage } from '../../support/drift-stage.ts';

let stage: DriftStage;

beforeEach(async () => {
  stage = await createDriftStage();
});
afterEach(() => stage[Symbol.asyncDispose]());

const object = (name: string, rest: string) =>
  `resource "fakecloud_object" "${name}" {\n name = "${name}"\n ${rest}\n}\n`;
const A = 'fakecloud_object.a';
const tagged = (content: string, team = 'x') =>
  object('a', `content = "${content}"\n tags = { team = "${team}", env = "dev" }`);

async function applied(code: string): Promise<void> {
  await stage.code(code);
  await stage.apply();
}

describe('what a drift check calls it when', () => {
  test('nothing happened: in sync', async () => {
    await applied(tagged('one'));
    expect(await stage.check('unchanged')).toMatchObject({ exitCode: 0, sync: 'in_sync', resources: [], outputs: [] });
    expect(await stage.check('unknown')).toMatchObject({ sync: 'in_sync' });
  });

  test('an attribute was changed in the console: drift', async () => {
    await applied(tagged('one'));
    await stage.edit('a', { content: 'hot-fix' });
    const found = await stage.check('unchanged');
    expect(found).toMatchObject({ exitCode: 2, sync: 'drift' });
    expect(found.resources).toMatchObject([
      { address: A, action: 'update', missing: false, destructive: false, kind: 'drift' },
    ]);
    expect(found.resources[0]?.attributes).toMatchObject([
      { path: 'content', kind: 'drift', applied: '"one"', live: '"hot-fix"', wanted: '"one"' },
    ]);
    const again = await stage.check('unchanged');
    expect(again.fingerprint).toBe(found.fingerprint);
    expect(again.canonicalDigest).toBe(found.canonicalDigest);
    await stage.apply();
    expect(await stage.check('unchanged')).toMatchObject({ sync: 'in_sync', fingerprint: undefined });
  });

  test('an object was deleted in the console: drift, missing', async () => {
    await applied(tagged('one') + object('b', `content = ${A}.id`));
    await stage.edit('a', undefined);
    const found = await stage.check('unchanged');
    expect(found).toMatchObject({ exitCode: 2, sync: 'drift' });
    expect(found.resources).toMatchObject([
      { address: A, kind: 'drift', action: 'create', missing: true, destructive: false },
      { address: 'fakecloud_object.b', kind: 'consequence', action: 'update', missing: false },
    ]);
    expect(kindsOf(found)).toEqual({ [`${A} (all)`]: 'drift', 'fakecloud_object.b content': 'consequence' });
  });

  test('an object is missing that the code has changed since: the change is pending, not part of the drift', async () => {
    await applied(tagged('one'));
    await stage.edit('a', undefined);
    await stage.code(tagged('two'));
    const found = await stage.check('changed');
    expect(kindsOf(found)).toEqual({ [`${A} (all)`]: 'drift', [`${A} content`]: 'pending' });
  });

  test('an object is missing whose attribute was scaled under ignore_changes: made again, it follows the code', async () => {
    await applied(object('a', 'content = "one"\n lifecycle {\n ignore_changes = [content]\n }'));
    await stage.edit('a', { content: 'scaled' });
    await stage.apply('-refresh-only');
    await stage.edit('a', undefined);
    const found = await stage.check('unchanged');
    expect(kindsOf(found)).toEqual({ [`${A} (all)`]: 'drift', [`${A} content`]: 'consequence' });
  });

  test('an attribute was changed that only a replacement changes back: drift, destructive', async () => {
    await applied(tagged('one'));
    await stage.edit('a', { name: 'renamed' });
    const found = await stage.check('unchanged');
    expect(found).toMatchObject({ exitCode: 2, sync: 'drift' });
    expect(found.resources).toMatchObject([
      { address: A, kind: 'drift', action: 'replace', destructive: true, missing: false },
    ]);
    expect(found.resources[0]?.attributes).toMatchObject([{ path: 'name', kind: 'drift', live: '"renamed"' }]);
  });

  test('a computed attribute changed that nothing reads: state only', async () => {
    await applied(tagged('one'));
    await stage.edit('a', { version: 7 });
    const found = await stage.check('unchanged');
    expect(found).toMatchObject({ exitCode: 0, sync: 'state_only', outputs: [] });
    expect(kindsOf(found)).toEqual({ [`${A} version`]: 'state_only' });
    expect(kindsOf(await stage.check('changed'))).toEqual({ [`${A} version`]: 'state_only' });
  });

  test('a computed attribute changed that an output reads: state only, and the output with it', async () => {
    await applied(`${tagged('one')}locals {\n v = ${A}.version\n}\noutput "v" {\n value = local.v\n}\n`);
    await stage.edit('a', { version: 7 });
    const found = await stage.check('unchanged');
    expect(found).toMatchObject({ exitCode: 2, sync: 'state_only' });
    expect(kindsOf(found)).toEqual({ [`${A} version`]: 'state_only' });
    expect(found.outputs).toMatchObject([{ name: 'v', kind: 'state_only', applied: '1', wanted: '7' }]);
  });

  test('an attribute under ignore_changes was changed: state only', async () => {
    await applied(object('a', 'content = "one"\n lifecycle {\n ignore_changes = [content]\n }'));
    await stage.edit('a', { content: 'scaled' });
    for (const inputs of ['unchanged', 'changed', 'unknown'] as const) {
      const found = await stage.check(inputs);
      expect(found).toMatchObject({ exitCode: 0, sync: 'state_only' });
      expect(kindsOf(found)).toEqual({ [`${A} content`]: 'state_only' });
    }
  });

  test('a hot-fix was merged afterwards: absorbed', async () => {
    await applied(tagged('one'));
    await stage.edit('a', { content: 'hot-fix' });
    expect((await stage.check('unchanged')).sync).toBe('drift');
    await stage.code(tagged('hot-fix'));
    const found = await stage.check('changed');
    expect(found).toMatchObject({ exitCode: 0, sync: 'absorbed', fingerprint: undefined });
    expect(kindsOf(found)).toEqual({ [`${A} content`]: 'absorbed' });
    expect((await stage.check('unknown')).sync).toBe('absorbed');
    await stage.code(`variable "c" {\n default = "hot-fix"\n}\n${tagged('one').replace('"one"', 'var.c')}`);
    expect((await stage.check('changed')).sync).toBe('absorbed');
  });

  test('a commit was merged and not applied: pending', async () => {
    await applied(tagged('one'));
    await stage.code(tagged('two') + object('b', ''));
    const found = await stage.check('changed');
    expect(found).toMatchObject({ exitCode: 2, sync: 'pending', fingerprint: undefined });
    expect(kindsOf(found)).toEqual({ [`${A} content`]: 'pending', 'fakecloud_object.b (all)': 'pending' });
    expect(await stage.check('unknown')).toMatchObject({ sync: 'baseline_unknown' });
  });

  test('there is a pending commit and drift on one resource: both, each at its attributes', async () => {
    await applied(tagged('one', 'x'));
    await stage.edit('a', { content: 'hot-fix', version: 9 });
    await stage.code(tagged('one', 'y'));
    const found = await stage.check('changed');
    expect(found).toMatchObject({ exitCode: 2, sync: 'drift' });
    expect(kindsOf(found)).toEqual({
      [`${A} content`]: 'drift',
      [`${A} tags.team`]: 'pending',
      [`${A} version`]: 'state_only',
    });
    await stage.code(tagged('one', 'x'));
    expect((await stage.check('unchanged')).fingerprint).toBe(found.fingerprint);
  });

  test('a pending commit meets a computed attribute that changed: pending alone', async () => {
    await applied(tagged('one'));
    await stage.edit('a', { version: 9 });
    await stage.code(tagged('two'));
    const found = await stage.check('changed');
    expect(found.sync).toBe('pending');
    expect(kindsOf(found)).toEqual({ [`${A} content`]: 'pending', [`${A} version`]: 'state_only' });
  });

  test('console and code say two different things, and neither what was applied: conflict', async () => {
    await applied(tagged('one'));
    await stage.edit('a', { content: 'hot-fix' });
    await stage.code(tagged('two'));
    const found = await stage.check('changed');
    expect(found).toMatchObject({ exitCode: 2, sync: 'drift' });
    expect(found.resources[0]?.attributes).toMatchObject([
      { path: 'content', kind: 'conflict', applied: '"one"', live: '"hot-fix"', wanted: '"two"' },
    ]);
  });

  test('a data source says something else: external', async () => {
    await stage.put('upstream', { content: 'hello' });
    await applied(
      `data "fakecloud_object" "u" {\n name = "upstream"\n}\n${object('a', 'content = data.fakecloud_object.u.content')}`,
    );
    await stage.edit('upstream', { content: 'moved' });
    const found = await stage.check('unchanged');
    expect(found).toMatchObject({ exitCode: 2, sync: 'external', fingerprint: undefined });
    expect(kindsOf(found)).toEqual({ [`${A} content`]: 'external' });
  });

  test('the state of another project says something else: external', async () => {
    const state = (value: string) =>
      JSON.stringify({ version: 4, serial: 1, lineage: 'l', outputs: { o: { value, type: 'string' } }, resources: [] });
    await stage.write('other.tfstate', state('one'));
    await applied(
      `data "terraform_remote_state" "o" {\n backend = "local"\n config = { path = "other.tfstate" }\n}\n${object(
        'a',
        'content = data.terraform_remote_state.o.outputs.o',
      )}`,
    );
    await stage.write('other.tfstate', state('two'));
    expect(await stage.check('unchanged')).toMatchObject({ exitCode: 2, sync: 'external' });
  });

  test('a computed attribute changed that another resource reads: external there', async () => {
    await applied(tagged('one') + object('b', `content = "v\${${A}.version}"`));
    await stage.edit('a', { version: 5 });
    const found = await stage.check('unchanged');
    expect(found.sync).toBe('external');
    expect(kindsOf(found)).toEqual({ [`${A} version`]: 'state_only', 'fakecloud_object.b content': 'external' });
  });

  test('it is planned with -refresh=false: nothing is seen, so that must never be done', async () => {
    await applied(tagged('one'));
    await stage.edit('a', { content: 'hot-fix' });
    const { exitCode, json } = await stage.plan('-refresh=false');
    expect(exitCode).toBe(0);
    expect(classifyPlan(json, 'unchanged').sync).toBe('in_sync');
  });
});
