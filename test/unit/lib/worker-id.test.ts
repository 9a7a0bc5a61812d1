import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { createWorkerId, isGoneFromHere } from '../../../src/lib/worker-id.ts';

test('this process is alive, and named by machine, pid and start', () => {
  const id = createWorkerId();
  expect(id).toMatch(new RegExp(`^[^:]+:${process.pid}:[0-9a-f]{8}-\\d+$`));
  expect(isGoneFromHere(id)).toBe(false);
});

test('a process with the same pid that was started at another time is another one', () => {
  expect(isGoneFromHere(createWorkerId().replace(/\d$/, (digit) => String((Number(digit) + 1) % 10)))).toBe(true);
});

test('a pid that nobody has is gone', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  expect(isGoneFromHere(createWorkerId().replace(`:${process.pid}:`, `:${child.pid}:`))).toBe(true);
});

test('another machine, container or boot is not for us to say, nor is a name that is none of ours', () => {
  expect(isGoneFromHere(createWorkerId().replace(/:[0-9a-f]{8}-/, ':00000000-'))).toBe(false);
  expect(isGoneFromHere('somebody')).toBe(false);
  expect(isGoneFromHere('')).toBe(false);
});
