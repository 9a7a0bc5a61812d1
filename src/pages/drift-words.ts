import type { DifferenceKind } from '../core/drift/drift.ts';
import type { HealthState } from '../core/drift/health.ts';
import type { DriftEvent } from '../core/drift/notifications.ts';
import type { DriftStanding } from '../core/drift/standing.ts';
import type { NotificationState } from './project-view.ts';

/** The class decides the colour; the word is always there. */
export type Tone = 'good' | 'bad' | 'wait' | 'calm';

export interface Words {
  readonly text: string;
  readonly tone: Tone;
  /** What it means. */
  readonly sentence: string;
}

const word = (text: string, tone: Tone, sentence: string): Words => ({ text, tone, sentence });

export const STANDING_WORDS: Readonly<Record<DriftStanding, Words>> = {
  drift: word('drift', 'bad', 'Somebody changed what runs, and an apply would change it back.'),
  unconfirmed: word('unconfirmed', 'wait', 'Drift was seen, too seldom to be told of yet.'),
  silenced: word('silenced', 'calm', 'There is drift that somebody lives with.'),
  pending: word('pending', 'wait', 'Something is merged and not applied yet.'),
  baseline_unknown: word(
    'no baseline',
    'wait',
    'An apply would change something; with no apply on record nobody knows whether it was merged or happened outside.',
  ),
  external: word('external', 'wait', 'Something that the code reads has another value now.'),
  error: word('not known', 'calm', 'The last check failed.'),
  unknown: word('not known', 'calm', 'The last check proved nothing: the state was locked, or moved meanwhile.'),
  never: word('not known', 'calm', 'No check of it has come to an end yet.'),
  in_sync: word('in sync', 'good', 'An apply would change nothing.'),
};

export const HEALTH_WORDS: Readonly<Record<HealthState, Words>> = {
  ok: word('checks ok', 'good', 'Its checks succeed when they should.'),
  failing: word('checks fail', 'bad', 'Its checks fail, so nobody knows whether it drifts.'),
  overdue: word('overdue', 'bad', 'A check should have succeeded by now.'),
  never_checked: word('never checked', 'calm', 'Its first check is still to come.'),
  checks_failed: word('conditions failed', 'wait', 'What it declares with `check` blocks or conditions is not so.'),
  paused: word('paused', 'calm', 'It is not to be checked for now.'),
};

export const KIND_WORDS: Readonly<Record<DifferenceKind, Words>> = {
  conflict: word(
    'conflict',
    'bad',
    'changed by hand, and an apply would write neither what runs now nor what was applied',
  ),
  drift: word('drift', 'bad', 'changed by hand, and an apply would change it back'),
  pending: word('pending', 'wait', 'merged and not applied yet'),
  baseline_unknown: word('no baseline', 'wait', 'merged and not applied yet, or changed by what the code reads'),
  external: word('external', 'wait', 'changed by what the code reads'),
  consequence: word('consequence', 'calm', 'changes only because something that it depends on does'),
  state_only: word('state only', 'calm', 'changed by hand, and an apply leaves it alone'),
  absorbed: word('absorbed', 'calm', 'changed by hand, and the code has come to say the same'),
};

export const EVENT_WORDS: Readonly<Record<DriftEvent, string>> = {
  drift_opened: 'drift',
  drift_changed: 'other drift',
  drift_resolved: 'drift is gone',
  remediation_done: 'put right',
  remediation_failed: 'not put right',
  check_overdue: 'check overdue',
  suspended_too_long: 'suspended for long',
};

export const NOTIFICATION_WORDS: Readonly<Record<NotificationState, Pick<Words, 'text' | 'tone'>>> = {
  wanted: { text: 'waiting', tone: 'wait' },
  sent: { text: 'arrived', tone: 'good' },
  given_up: { text: 'given up', tone: 'bad' },
};
