import { expect, test } from 'vitest';
import { formatPosition, parsePosition } from '../../../src/http/follow-run.ts';

test('a position survives the way to the browser and back', () => {
  const position = { attempt: 1_763_726_400_000, nextSeq: 57 };
  expect(parsePosition(formatPosition(position))).toEqual(position);
});

test.each([undefined, '', '1', '1.', '.1', '-1.0', '1.0.0', '1.1e3', '9'.repeat(400), '1.99999999999999'])(
  'what is no position means the beginning: %s',
  (text) => expect(parsePosition(text)).toEqual({ attempt: undefined, nextSeq: 0 }),
);
