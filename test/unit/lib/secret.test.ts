import { format, inspect } from 'node:util';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Secret } from '../../../src/lib/secret.ts';

const VALUE = 'hunter2-hunter2';
const secret = new Secret(VALUE);

test('is told on demand only', () => expect(secret.reveal()).toBe(VALUE));

test.each([
  ['a text', `${secret}`],
  ['a sum', 'x'.concat(String(secret))],
  ['JSON', JSON.stringify({ secret })],
  ['inspect', inspect({ deep: { secret } }, { showHidden: true, depth: 9 })],
  ['format', format('%s %o %j', secret, secret, secret)],
  ['an error', String(new Error(`${secret}`))],
  ['its keys', Object.entries(secret).flat().join()],
  ['a spread', JSON.stringify({ ...secret })],
])('is not in %s', (_what, text) => expect(text).not.toContain('hunter2'));

test('is not in a log', () => {
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => lines.push(line) });
  log.info({ secret, nested: { secret } }, 'said %s', secret);
  expect(lines.join()).toContain('[redacted]');
  expect(lines.join()).not.toContain('hunter2');
});

test('says that something was left out', () => {
  expect(`${secret}`).toBe('[redacted]');
  expect(JSON.stringify(secret)).toBe('"[redacted]"');
  expect(inspect(secret)).toBe('[redacted]');
});
