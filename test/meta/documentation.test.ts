import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { generateAll } from '../../src/config/generate.ts';
import { guessKind, validateFile } from '../../src/config/validate-file.ts';

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
      'drift',
      'approve',
    ];
    expect(commands.filter((name) => !known.includes(name))).toEqual([]);
    expect(unknownVariables(text)).toEqual([]);
  });

  const configs = [...read('README.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => yaml);

  test.each(configs)("the README's config %# is valid", (yaml) => {
    const file = yaml.startsWith('# holdfast.yaml') ? 'holdfast.yaml' : 'server.yaml';
    const readFile = () => 'https://file.example/with-a-secret';
    const around = {
      environment: { PROD_KEY_ID: 'key-id' },
      readFile,
      workingDirectory: ROOT,
      purpose: 'look',
    } as const;
    const validation = validateFile(yaml, file, guessKind(file), around);
    expect(validation.lines).toEqual([expect.stringMatching(/: valid (?:repository|server) config$/)]);
  });

  test('the README has configs of both kinds', () => {
    expect(configs.length).toBeGreaterThan(2);
    expect(configs.filter((yaml) => yaml.startsWith('# holdfast.yaml'))).toHaveLength(1);
  });

  test('every metric is documented, and nothing else', () => {
    const page = read('src/http/README.md');
    const documented = new Set(page.match(/`holdfast_[a-z_]+`/g)?.map((name) => name.slice(1, -1)));
    const source = ['metrics.ts', 'drift-metrics.ts'].map((file) => read(`src/http/${file}`)).join('\n');
    const own = [...source.matchAll(/gaugeOf\(\s*'([a-z_]+)'/g)].map(([, name = '']) => `holdfast_drift_${name}`);
    const others = [...source.matchAll(/'(holdfast_[a-z_]+[a-z])'/g)].map(([, name = '']) => name);
    expect([...documented].toSorted()).toEqual([...own, ...others].toSorted());
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
