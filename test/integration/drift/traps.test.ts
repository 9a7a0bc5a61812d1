import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { kindsOf } from '../../support/drift-findings.ts';
import { classifyPlan, createDriftStage } from '../../support/drift-stage.ts';

const object = (name: string, rest: string) =>
  `resource "fakecloud_object" "${name}" {\n name = "${name}"\n ${rest}\n}\n`;
const A = 'fakecloud_object.a';

describe('exit codes say something else', () => {
  test('`plan -refresh-only` ends with 2 and finds nothing, when all is as it should be', async () => {
    await using stage = await createDriftStage();
    await stage.code(object('a', 'content = "one"'));
    await stage.apply();
    const refreshed = await stage.plan('-refresh-only');
    expect(refreshed.exitCode).toBe(2);
    expect(refreshed.json.resource_drift).toBeUndefined();
    expect(await stage.check('unchanged')).toMatchObject({ exitCode: 0, sync: 'in_sync' });
  });

  test('`plan -refresh-only` cannot tell what an apply would do, so it is not what a check may run', async () => {
    await using stage = await createDriftStage();
    await stage.code(object('a', 'content = "one"'));
    await stage.apply();
    await stage.edit('a', { content: 'hot-fix' });
    const { json } = await stage.plan('-refresh-only');
    expect(classifyPlan(json, 'unchanged').sync).toBe('state_only');
    expect((await stage.check('unchanged')).sync).toBe('drift');
  });

  test('a plan that dies ends with 2 as well, and leaves nothing to classify', async () => {
    await using stage = await createDriftStage();
    await stage.code(object('a', 'content = "one"'));
    await stage.apply();
    // A Go program that gets no memory dies with 2, which is also what `plan -detailed-exitcode` says of changes.
    const plan = ['terraform', 'plan', '-detailed-exitcode', '-out=tfplan'];
    const { exitCode, text } = await stage.run('prlimit', '--data=20000000', ...plan);
    expect(text).toMatch(/out of memory|cannot allocate memory|runtime/i);
    expect(exitCode).toBe(2);
    await expect(access(join(stage.directory, 'tfplan'))).rejects.toThrow('ENOENT');
  });

  test('a provider that crashes while reading leaves a plan that says of itself that it failed', async () => {
    await using stage = await createDriftStage();
    await stage.code(object('a', 'content = "one"'));
    await stage.apply();
    await stage.faults({ op: 'read', crash: true });
    await expect(stage.check('unchanged')).rejects.toThrow('failed halfway');
    await stage.faults();
    expect((await stage.check('unchanged')).sync).toBe('in_sync');
  });
});

describe('a plan for a part', () => {
  test('proves nothing about the rest', async () => {
    await using stage = await createDriftStage();
    await stage.code(object('a', '') + object('b', ''));
    await stage.apply();
    await stage.edit('b', { content: 'hot-fix' });
    const { json } = await stage.plan(`-target=${A}`);
    expect(classifyPlan(json, 'unchanged')).toMatchObject({ sync: 'unknown', complete: false });
  });
});

describe('outputs alone', () => {
  test('changed by the code: pending, and no drift', async () => {
    await using stage = await createDriftStage();
    await stage.code('output "o" {\n value = "one"\n}\n');
    await stage.apply();
    await stage.code('output "o" {\n value = "two"\n}\noutput "new" {\n value = 1\n}\n');
    const found = await stage.check('changed');
    expect(found).toMatchObject({ exitCode: 2, sync: 'pending', resources: [], fingerprint: undefined });
    expect(found.outputs).toMatchObject([
      { name: 'new', kind: 'pending', wanted: '1' },
      { name: 'o', kind: 'pending', applied: '"one"', wanted: '"two"' },
    ]);
    expect((await stage.check('unknown')).sync).toBe('baseline_unknown');
  });

  test('changed by what they read: external, and no drift', async () => {
    await using stage = await createDriftStage();
    await stage.put('upstream', { content: 'hello' });
    await stage.code(
      'data "fakecloud_object" "u" {\n name = "upstream"\n}\noutput "o" {\n value = data.fakecloud_object.u.content\n}\n',
    );
    await stage.apply();
    await stage.edit('upstream', { content: 'moved' });
    const found = await stage.check('unchanged');
    expect(found).toMatchObject({ exitCode: 2, sync: 'external', resources: [] });
    expect(found.outputs).toMatchObject([{ name: 'o', kind: 'external', applied: '"hello"', wanted: '"moved"' }]);
  });

  test('that only the apply will tell follow what is missing', async () => {
    await using stage = await createDriftStage();
    await stage.code(`${object('a', '')}output "id" {\n value = ${A}.id\n}\n`);
    await stage.apply();
    await stage.edit('a', undefined);
    const found = await stage.check('unchanged');
    expect(found.sync).toBe('drift');
    expect(found.outputs).toMatchObject([{ name: 'id', kind: 'consequence', wanted: undefined, unknown: true }]);
  });
});

describe('checks', () => {
  const check = `check "content" {
  data "fakecloud_object" "live" {
    name = "upstream"
  }
  assert {
    condition     = data.fakecloud_object.live.content == "hello"
    error_message = "It says \${data.fakecloud_object.live.content}."
  }
}
`;

  test('that fail are a matter of health, not of drift', async () => {
    await using stage = await createDriftStage();
    await stage.put('upstream', { content: 'hello' });
    await stage.code(object('a', 'content = "one"') + check);
    await stage.apply();
    // With a data source in a check, Terraform always has something to read: its exit code is 2 for nothing at all.
    expect(await stage.check('unchanged')).toMatchObject({ exitCode: 2, sync: 'in_sync', failedChecks: [] });
    await stage.edit('upstream', { content: 'goodbye' });
    expect(await stage.check('unchanged')).toMatchObject({
      sync: 'in_sync',
      resources: [],
      failedChecks: ['check.content: It says goodbye.'],
    });
    await stage.edit('a', { content: 'hot-fix' });
    const both = await stage.check('unchanged');
    expect(kindsOf(both)).toEqual({ [`${A} content`]: 'drift' });
    expect(both.failedChecks).toHaveLength(1);
  });

  test('that nobody can evaluate before the apply have not failed', async () => {
    await using stage = await createDriftStage();
    await stage.code(
      `${object('a', '')}check "later" {\n assert {\n condition = ${A}.version == 1\n error_message = "no"\n }\n}\n`,
    );
    expect(await stage.check('changed')).toMatchObject({ sync: 'pending', failedChecks: [] });
  });
});
