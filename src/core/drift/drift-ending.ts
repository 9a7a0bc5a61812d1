import { instantText } from '../../lib/instant.ts';
import type { DriftFindings } from './drift.ts';
import type { Quiet } from './silence-rules.ts';
import { whoText } from './who.ts';

const NOW: Readonly<Partial<Record<DriftFindings['sync'], string>>> = {
  in_sync: 'what runs is what the code says',
  absorbed: 'the code has come to say what runs',
  state_only: 'what still differs is something that an apply leaves alone',
  pending: 'what differs now is a change of the code that is not applied yet',
  baseline_unknown: 'what differs now was not changed where it runs',
  external: 'what differs now comes from something that the code reads',
};

export interface DriftEnding {
  /** What the check found instead. */
  readonly sync: DriftFindings['sync'];
  /** The check saw drift, and the project's rules leave nothing of it. */
  readonly isIgnored: boolean;
  /** Login. */
  readonly putRightBy: string | undefined;
}

/** Why there is nothing to report any more, in a sentence. */
export function endingWords({ sync, isIgnored, putRightBy }: DriftEnding): string {
  if (isIgnored) return 'All that drifts is under rules that ignore it.';
  if (putRightBy !== undefined) return `The drift was put right by ${whoText(putRightBy)}.`;
  const now = NOW[sync];
  return now === undefined ? 'The drift is gone.' : `The drift is gone: ${now}.`;
}

/** Why what is there is not reported, in sentences that hold what people wrote. */
export function silenceWords({ rules, until }: Quiet): string {
  const said = rules.map(({ kind, by, reason }) => {
    const verb = kind === 'snooze' ? 'Snoozed' : 'Acknowledged';
    return `${verb} by ${whoText(by)}${reason === undefined ? '.' : `: ${endSentence(reason)}`}`;
  });
  const again = until === undefined ? 'when it changes' : `after ${instantText(until)}, if it is still there`;
  return `${[...new Set(said)].join(' ')} It is reported again ${again}.`;
}

/** With a full stop, unless it ends already. */
export function endSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
