import { expect, test } from 'vitest';
import { parseEnd } from '../../../src/lib/instant.ts';

test.each([
  ['2026-12-31', '2027-01-01T00:00:00.000Z'],
  ['2026-12-31T18:00Z', '2026-12-31T18:00:00.000Z'],
  ['2026-12-31T18:00:30Z', '2026-12-31T18:00:30.000Z'],
  ['2026-12-31T18:00:30.5+01:00', '2026-12-31T17:00:30.500Z'],
])('%s', (written, end) => expect(parseEnd(written)?.toISOString()).toBe(end));

test.each([
  '',
  'tomorrow',
  '2026',
  '2026-13-01',
  '2026-12-32',
  '31.12.2026',
  '2026-12-31T18:00',
  '2026-12-31T25:00Z',
  ' 2026-12-31',
])('%j is none', (written) => expect(parseEnd(written)).toBeUndefined());
