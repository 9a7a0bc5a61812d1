import { expect, test } from 'vitest';
import { silenceWords } from '../../../../src/core/drift/drift-ending.ts';
import type { Acknowledgement, Snooze } from '../../../../src/core/drift/silence-rules.ts';

const UNTIL = new Date('2026-12-01T08:30:00Z');
const acknowledged = (by: string, reason?: string): Acknowledgement => ({
  kind: 'acknowledge',
  id: by,
  by,
  reason,
  fingerprint: 'f',
});
const snoozed = (by: string, reason?: string): Snooze => ({
  kind: 'snooze',
  id: by,
  by,
  reason,
  fingerprint: undefined,
  until: UNTIL,
});

test('who silences, why, and until when', () => {
  expect(silenceWords({ rules: [acknowledged('ann')], until: undefined })).toBe(
    'Acknowledged by @ann. It is reported again when it changes.',
  );
  expect(silenceWords({ rules: [snoozed('bob', 'a migration')], until: UNTIL })).toBe(
    'Snoozed by @bob: a migration. It is reported again after 2026-12-01 08:30 UTC, if it is still there.',
  );
});

test('several are named one after the other, the same words once', () => {
  const rules = [acknowledged('ann', 'Ours!'), acknowledged('ann', 'Ours!'), snoozed('bob', 'why not?')];
  expect(silenceWords({ rules, until: UNTIL })).toBe(
    'Acknowledged by @ann: Ours! Snoozed by @bob: why not? It is reported again after 2026-12-01 08:30 UTC, if it is still there.',
  );
});
