import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Repository } from '../../src/core/repository.ts';
import type { WorkerContext } from '../../workers/context.ts';
import { findCredentials } from '../../workers/find-credentials.ts';
import { buildProject, buildPullRequest } from '../support/builders.ts';

let folder: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-credentials-')));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const program = async (name: string, text: string, mode = 0o755) => {
  const path = join(folder, name);
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
};

const find = (...command: readonly string[]) => findWith({ command });

const findWith = (some: object, sandbox: object = {}) => {
  const selector = { repositories: [], dirs: [], workspaces: [], projects: [] };
  const credential = { name: 'cloud', selector, phases: ['plan'], env: {}, files: [], ...some };
  const config = { credentials: [credential], sandbox: { kind: 'bubblewrap', ...sandbox } };
  const context = { config } as unknown as WorkerContext;
  const repository: Repository = buildPullRequest().repository;
  return findCredentials(context, repository, buildProject());
};

const SAID = 'The credential "cloud" could not be made: ';

describe('a program that makes a credential', () => {
  test('gives its variables to the phases it is for', async () => {
    const { plan, apply } = await find(await program('good', '#!/bin/sh\necho \'{"env": {"TOKEN": "t1"}}\'\n'));
    expect([plan.env['TOKEN']?.reveal(), apply.env]).toEqual(['t1', {}]);
  });

  test.each([
    ['is not there', () => join(folder, 'absent'), 'could not be started: there is no such program'],
    [
      'lacks its interpreter',
      () => program('lost', '#!/no/such/sh\n'),
      'could not be started: there is no such program',
    ],
    [
      'may not be executed',
      () => program('plain', '#!/bin/sh\n', 0o644),
      'could not be started: it may not be executed',
    ],
    ['fails', () => program('failing', '#!/bin/sh\nexit 3\n'), 'failed with exit code 3'],
    ['is killed', () => program('killed', '#!/bin/sh\nkill -9 $$\n'), 'was ended by SIGKILL'],
    ['prints for ever', () => program('endless', '#!/bin/sh\nyes\n'), 'printed more than 1 MiB'],
  ])('that %s is named, with the reason', async (_what, make, reason) => {
    const path = await make();
    const words = `${SAID}its command ${path} ${reason}`;
    await expect(find(path, '--password=secret')).rejects.toThrow(words);
    await expect(find(path, '--password=secret')).rejects.not.toThrow('secret');
  });

  test('that prints something else is told the form', async () => {
    const path = await program('chatty', '#!/bin/sh\necho hello\n');
    await expect(find(path)).rejects.toThrow(`${SAID}its command did not print JSON of the form`);
  });
});

describe('a file that is a credential', () => {
  test('is given as it is at the moment, through however many links', async () => {
    await mkdir(join(folder, 'v1'));
    await writeFile(join(folder, 'v1/token'), 'secret');
    await symlink('v1', join(folder, 'current'));
    await symlink('current/token', join(folder, 'token'));
    const { plan } = await findWith({ files: [{ source: join(folder, 'token'), target: '/run/token' }] });
    expect(plan.mounts).toEqual([{ source: join(folder, 'v1/token'), target: '/run/token', mode: 'ro' }]);
    const files = [{ source: join(folder, 'token'), target: join(folder, 'token') }];
    const uncontained = await findWith({ files }, { kind: 'none' });
    expect(uncontained.plan.mounts).toEqual([{ ...files[0], mode: 'ro' }]);
  });

  test('that is missing is named', async () => {
    const files = [{ source: join(folder, 'none'), target: '/run/token' }];
    await expect(findWith({ files })).rejects.toThrow(`${SAID}its file ${join(folder, 'none')} does not exist`);
  });
});
