import { parseDuration } from '../../lib/duration.ts';
import { parseEnd } from '../../lib/instant.ts';
import type { Flag } from '../command-flags.ts';
import type { PermittedCommand } from '../repository-rules.ts';
import { LONGEST_SILENCE_DAYS } from './silence-rules.ts';

/** Up to when something holds, as a person wrote it. */
export type WrittenEnd = { readonly kind: 'for'; readonly ms: number } | { readonly kind: 'until'; readonly at: Date };

/** What a person asked for on a drift report, checked as far as the text allows. Texts are theirs. */
export type DriftCommand =
  /** Check now. */
  | { readonly name: 'run' }
  | { readonly name: 'suspend'; readonly reason: string; readonly end: WrittenEnd | undefined }
  | { readonly name: 'resume' }
  | { readonly name: 'ack'; readonly reason: string | undefined }
  | { readonly name: 'snooze'; readonly end: WrittenEnd; readonly reason: string | undefined }
  | {
      readonly name: 'ignore';
      /** Of resources; `*` is any run of characters. */
      readonly address: string;
      readonly attribute: string;
      readonly reason: string;
      /** undefined: whoever says it. */
      readonly owner: string | undefined;
      readonly end: WrittenEnd;
    }
  /** Put the drift right. */
  | {
      readonly name: 'apply';
      /** Addresses whose real objects may be deleted. */
      readonly destroys: readonly string[];
    }
  | { readonly name: 'approve'; readonly fingerprint: string };

export type DriftCommandName = DriftCommand['name'] | 'help';

type DriftFlagName = 'for' | 'until' | 'reason' | 'attribute' | 'owner' | 'allow-destroy' | 'help';

export const DRIFT_FLAGS: Readonly<Record<DriftFlagName, Flag>> = {
  for: { type: 'string', help: 'how long, such as 30m, 12h or 7d' },
  until: { type: 'string', help: 'the last day, such as 2026-12-31, or a time such as 2026-12-31T18:00Z' },
  reason: { type: 'string', help: 'why, for those who come after; words behind the command say it as well' },
  attribute: { type: 'string', help: 'attributes, `*` for any run of characters; all when left out' },
  owner: { type: 'string', help: 'who to ask about it; you when left out' },
  'allow-destroy': {
    type: 'string',
    multiple: true,
    help: 'address of a resource whose real object may be deleted for it; once for each',
  },
  help: { type: 'boolean', short: 'h', help: 'show this help' },
};

export interface DriftCommandInfo {
  /** What is typed behind the trigger word. */
  readonly typed: string;
  /** What follows that, apart from flags. */
  readonly words: string;
  readonly flags: readonly DriftFlagName[];
  readonly purpose: string;
  /** Who may use it may use this; undefined: everybody. */
  readonly permission: PermittedCommand | undefined;
}

export const DRIFT_COMMANDS: Readonly<Record<DriftCommandName, DriftCommandInfo>> = {
  apply: {
    typed: 'apply',
    words: '',
    flags: ['allow-destroy', 'help'],
    purpose: 'plans anew, and puts the drift right when it is still the one that is shown here',
    permission: 'apply',
  },
  approve: {
    typed: 'approve',
    words: 'FINGERPRINT',
    flags: ['help'],
    purpose: 'lets somebody else put this drift right, where that needs a second person',
    permission: 'apply',
  },
  run: {
    typed: 'drift run',
    words: '',
    flags: ['help'],
    purpose: 'checks the project now',
    permission: 'plan',
  },
  ack: {
    typed: 'drift ack',
    words: '[REASON]',
    flags: ['reason', 'help'],
    purpose: 'lives with this drift: it is not reported again until it is another',
    permission: 'apply',
  },
  snooze: {
    typed: 'drift snooze',
    words: 'DURATION [REASON]',
    flags: ['for', 'until', 'reason', 'help'],
    purpose: 'does not report this drift for a while',
    permission: 'apply',
  },
  ignore: {
    typed: 'drift ignore',
    words: 'ADDRESS REASON',
    flags: ['attribute', 'for', 'until', 'reason', 'owner', 'help'],
    purpose: 'does not count differences of these attributes as drift any more, for a time',
    permission: 'apply',
  },
  suspend: {
    typed: 'drift suspend',
    words: 'REASON',
    flags: ['for', 'until', 'reason', 'help'],
    purpose: 'does not check the project until it is resumed',
    permission: 'apply',
  },
  resume: {
    typed: 'drift resume',
    words: '',
    flags: ['help'],
    purpose: 'checks the project again',
    permission: 'apply',
  },
  help: { typed: 'drift help', words: '', flags: ['help'], purpose: 'shows this', permission: undefined },
};

/** `--for` and `--until`; undefined: neither is written. */
export function readEnd(
  length: string | undefined,
  until: string | undefined,
): WrittenEnd | { readonly problem: string } | undefined {
  if (length !== undefined && until !== undefined) return { problem: 'write --for or --until, not both' };
  if (until !== undefined) {
    const at = parseEnd(until);
    const problem = `${JSON.stringify(until)} is no day such as 2026-12-31 and no time such as 2026-12-31T18:00Z`;
    return at === undefined ? { problem } : { kind: 'until', at };
  }
  if (length === undefined) return undefined;
  const ms = parseDuration(length);
  if (ms !== undefined && ms > 0) return { kind: 'for', ms };
  return { problem: `${JSON.stringify(length)} is no duration such as 30m, 12h or 7d` };
}

/** The instant that is meant, or why it cannot be. */
export function resolveEnd(end: WrittenEnd, now: Date): Date | { readonly problem: string } {
  const at = end.kind === 'for' ? new Date(now.getTime() + end.ms) : end.at;
  if (!(at > now)) return { problem: 'The time at which it ends must lie in the future.' };
  const most = LONGEST_SILENCE_DAYS * 86_400_000;
  return at.getTime() - now.getTime() > most
    ? { problem: `It may last for ${LONGEST_SILENCE_DAYS} days at most; say it anew when it has ended.` }
    : at;
}
