import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { generateAll } from '../../../src/config/generate.ts';
import { readServerConfig } from '../../../src/config/load-server-config.ts';
import { listVariables } from '../../../src/config/server-environment.ts';
import type { JsonSchema } from '../../../src/config/schema-problems.ts';

const top = join(import.meta.dirname, '../../..');
const LOOK = { readFile: () => '', workingDirectory: '/', purpose: 'look' } as const;

describe('what is made from the schemas', () => {
  test.each([...generateAll()])('%s is fresh; `node src/config/write-generated.ts` writes it anew', (path, content) => {
    expect(readFileSync(join(top, path), 'utf8')).toBe(content);
  });

  test('every key is described', () => {
    const undescribed: string[] = [];
    const visit = (schema: JsonSchema, path: string) => {
      for (const [name, key] of Object.entries(schema.properties ?? {})) {
        if (!key.description) undescribed.push(`${path}${name}`);
        visit(key, `${path}${name}.`);
        if (key.items) visit(key.items, `${path}${name}[].`);
      }
    };
    for (const [path, content] of generateAll())
      if (path.endsWith('.json')) visit(JSON.parse(content) as JsonSchema, '');
    expect(undescribed).toEqual([]);
  });

  test('the reference has every variable', () => {
    const reference = generateAll().get('config/README.md') ?? '';
    for (const { name } of listVariables()) expect(reference).toContain(`\`${name}\``);
  });

  test('the example changes nothing as it is, and its defaults can be taken out of the remarks', () => {
    const example = generateAll().get('config/server.example.yaml') ?? '';
    expect(parse(example)).toBeNull();
    const live = example.replaceAll(/^#(?=[a-z_]+:| {3})/gm, '');
    const result = readServerConfig(live, 'example', {}, LOOK);
    expect('problems' in result ? result.problems : []).toEqual([]);
  });
});
