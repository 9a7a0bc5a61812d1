import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { generateAll } from '../../src/config/generate.ts';
import { readServerConfig } from '../../src/config/load-server-config.ts';

const ROOT = join(import.meta.dirname, '../..');
const SKIPPED = /node_modules|\.git\/|reports|fixtures|\.stryker/;

const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((file) => !SKIPPED.test(file));
const pages = files.filter((file) => file.endsWith('.md')).map((file) => ({ file, text: read(file) }));
const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts);
const reference = [...generateAll().values()].join('\n');

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

function unknownVariables(text: string): readonly string[] {
  return [...new Set(text.match(/\bHOLDFAST_[A-Z0-9_]*[A-Z0-9]\b/g) ?? [])].filter(
    (name) => name !== 'HOLDFAST_CONFIG' && !reference.includes(`\`${name}\``),
  );
}

describe('every page of documentation', () => {
  test('is found', () => {
    expect(pages.map(({ file }) => file)).toContain('README.md');
    expect(pages.length).toBeGreaterThan(8);
  });

  test.each(pages)('$file links to what exists', ({ file, text }) => {
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)].map(([, target = '']) => target);
    expect(links.filter((target) => !existsSync(join(ROOT, dirname(file), target)))).toEqual([]);
  });

  test.each(pages)('$file names only npm scripts, commands and variables that exist', ({ text }) => {
    const named = [...text.matchAll(/\bnpm run ([a-z][a-z-]*)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
    const commands = [...text.matchAll(/(?:^|`)(?:npm run holdfast -- |holdfast )([a-z]+)/gm)].map(
      ([, name = '']) => name,
    );
    const known = [
      'serve',
      'worker',
      'demo',
      'validate',
      'doctor',
      'plan',
      'apply',
      'unlock',
      'cancel',
      'version',
      'help',
    ];
    expect(commands.filter((name) => !known.includes(name))).toEqual([]);
    expect(unknownVariables(text)).toEqual([]);
  });

  test("the README's server config is valid", () => {
    const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(read('README.md')) ?? [];
    const options = { readFile: () => 'secret-of-a-file', workingDirectory: ROOT, purpose: 'look' } as const;
    const loaded = readServerConfig(yaml, 'README.md', { PROD_KEY_ID: 'key-id' }, options);
    expect('problems' in loaded ? loaded.problems : []).toEqual([]);
  });
});

describe('docker/', () => {
  const compose = parse(read('docker/compose.yaml'), { merge: true }) as {
    services: Record<string, { command?: readonly string[]; environment?: Record<string, string> }>;
  };

  test('compose has a server, workers, PostgreSQL and Redis', () => {
    expect(Object.keys(compose.services).sort()).toEqual(['postgres', 'redis', 'server', 'worker']);
    expect(compose.services['server']?.command).toEqual(['serve']);
    expect(compose.services['worker']?.command).toEqual(['worker']);
  });

  test.each(['docker/compose.yaml', 'docker/Dockerfile', 'docker/holdfast.env.example'])(
    '%s sets variables that exist',
    (file) => {
      expect(unknownVariables(read(file))).toEqual([]);
    },
  );

  test('the Dockerfile copies what exists, and does not end as root', () => {
    const text = read('docker/Dockerfile');
    const sources = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, list = '']) => list.split(' '));
    expect(sources.length).toBeGreaterThan(3);
    expect(sources.filter((source) => !existsSync(join(ROOT, source)))).toEqual([]);
    expect([...text.matchAll(/^USER (\S+)$/gm)].at(-1)?.[1]).toBe('node');
  });
});
