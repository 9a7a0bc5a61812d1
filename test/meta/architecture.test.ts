import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkLayers } from './check-layers.ts';

const ROOT = join(import.meta.dirname, '../..');

function readSources(): ReadonlyMap<string, string> {
  const files = ['src', 'workers', 'test'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(?:ts|mjs)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1)),
  );
  return new Map(files.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));
}

const check = (path: string, text: string): readonly string[] => checkLayers(new Map([[path, text]]));

describe('the layers', () => {
  test('hold in this tree', () => {
    const sources = readSources();
    expect(sources.size).toBeGreaterThan(200);
    expect(checkLayers(sources)).toEqual([]);
  });

  test.each([
    ['core that reads a file', 'src/core/run.ts', "import { readFile } from 'node:fs/promises';"],
    ['core that imports an adapter', 'src/core/run.ts', "import { x } from '../adapters/git/index.ts';"],
    ['core that imports a port', 'src/core/run.ts', "import type { x } from '../ports/sandbox.ts';"],
    ['core that asks the time', 'src/core/run.ts', 'const at = Date.now();'],
    ['core that throws dice', 'src/core/run.ts', 'const id = randomUUID();'],
    ['lib that imports core', 'src/lib/mask.ts', "import { x } from '../core/run.ts';"],
    ['a port with a package', 'src/ports/sandbox.ts', "import { execa } from 'execa';"],
    ['an adapter that imports another', 'src/adapters/git/index.ts', "import { x } from '../github/client.ts';"],
    ['a worker that imports an adapter', 'workers/run-job.ts', "import { x } from '../src/adapters/git/index.ts';"],
    ['a worker that imports the pages', 'workers/run-job.ts', "import { x } from '../src/pages/pages.ts';"],
    ['src that imports a worker', 'src/http/server.ts', "import { x } from '../../workers/run-job.ts';"],
    ['src that imports a test', 'src/http/server.ts', "import { x } from '../../test/support/until.ts';"],
    ['a dynamic import', 'src/core/run.ts', "const x = await import('../ports/sandbox.ts');"],
    ['a test server that imports src', 'test/servers/github/hub.ts', "import { x } from '../../../src/lib/mask.ts';"],
    ['the environment in an adapter', 'src/adapters/git/index.ts', 'const home = process.env.HOME;'],
    ['a shell', 'workers/run-job.ts', "await execa('ls', { shell: true });"],
    ['child_process beside execa', 'workers/run-job.ts', "import { spawn } from 'node:child_process';"],
    ['branching on the host', 'workers/run-job.ts', "if (host.name === 'github') return;"],
    ['a file in no layer', 'src/somewhere/new.ts', ''],
  ])('a planted violation is found: %s', (_name, path, text) => {
    expect(check(path, text)).toHaveLength(1);
  });

  test('a comment is no violation', () => {
    expect(check('src/core/run.ts', "/** See import { x } from '../adapters/git/index.ts' */")).toEqual([]);
  });
});
