import { describeDuration } from '../../lib/duration.ts';
import { instantText } from '../../lib/instant.ts';
import { whoText } from './who.ts';
import type { WindowState } from './windows.ts';

/** A project is not checked until somebody says so or the time has come. */
export interface Suspension {
  readonly reason: string;
  /** Login. */
  readonly by: string;
  readonly since: Date;
  /** undefined: until it is resumed. */
  readonly until: Date | undefined;
}

export type SkipCode =
  | 'disabled'
  | 'missing'
  | 'archived'
  | 'suspended'
  | 'applying'
  | 'locked'
  | 'open_pull_request'
  | 'just_applied'
  | 'window_closed'
  | 'disk';

export interface SkipReason {
  readonly code: SkipCode;
  /** For the pages: why, and for how long where that is known. */
  readonly sentence: string;
}

/** What may speak against a check that is due now. */
export interface SkipFacts {
  readonly now: Date;
  readonly enabled: boolean;
  /** A person asked for it, and knows of windows, pull requests and applies. */
  readonly requested: boolean;
  /** `missing`: the host has no such repository, or not for us. */
  readonly repository: 'present' | 'archived' | 'missing';
  readonly suspension: Suspension | undefined;
  /** Something is being applied to the project at this moment. */
  readonly applying: boolean;
  /** Who holds the project lock. */
  readonly lock: { readonly number: number; readonly who: string } | undefined;
  /** Numbers of open pull requests that touch the project. */
  readonly openPullRequests: readonly number[];
  readonly lastAppliedAt: Date | undefined;
  readonly windows: WindowState;
  /** Whether `data_dir` has the room that every run needs. */
  readonly roomLeft: boolean;
}

/** After an apply, clouds take a while until they tell everywhere what they were told. */
export const JUST_APPLIED_MS = 10 * 60_000;

/**
 * The first reason for not checking a project now; undefined: it is checked. What is skipped stays due, and is checked as soon as
 * nothing speaks against it any more.
 */
export function findSkip(facts: SkipFacts): SkipReason | undefined {
  for (const [code, rule] of RULES) {
    const sentence = rule(facts);
    if (sentence !== undefined) return { code, sentence };
  }
  return undefined;
}

/** Whether the project is suspended at this instant. */
export function isSuspended(suspension: Suspension | undefined, now: Date): suspension is Suspension {
  return suspension !== undefined && (suspension.until === undefined || suspension.until > now);
}

/** Who suspended it, for how long by now, until when and why; may hold what people wrote. */
export function suspensionText({ by, reason, since, until }: Suspension, now: Date): string {
  const age = describeDuration(now.getTime() - since.getTime());
  const end = until === undefined ? 'until it is resumed' : `until ${instantText(until)}`;
  return `Suspended by ${whoText(by)} for ${age}, ${end}: ${reason}`;
}

type Rule = (facts: SkipFacts) => string | undefined;

const disabled: Rule = ({ enabled }) => (enabled ? undefined : 'Its drift checks are turned off in the config.');

const missing: Rule = ({ repository }) =>
  repository === 'missing' ? 'The repository is gone, or no longer shown to Holdfast.' : undefined;

const archived: Rule = ({ repository }) => (repository === 'archived' ? 'The repository is archived.' : undefined);

const suspended: Rule = ({ suspension, now }) =>
  isSuspended(suspension, now) ? suspensionText(suspension, now) : undefined;

const applying: Rule = (facts) => (facts.applying ? 'It is being applied.' : undefined);

const locked: Rule = ({ lock }) => lock && `It is locked by #${lock.number} (${lock.who}).`;

const touched: Rule = ({ openPullRequests, requested }) => {
  const [first, ...others] = openPullRequests.map((number) => `#${number}`);
  if (first === undefined || requested) return undefined;
  const which =
    others.length === 0 ? `${first} is open and touches` : `${[first, ...others].join(', ')} are open and touch`;
  return `${which} it.`;
};

const justApplied: Rule = ({ lastAppliedAt, now, requested }) => {
  if (lastAppliedAt === undefined || requested) return undefined;
  const end = new Date(lastAppliedAt.getTime() + JUST_APPLIED_MS);
  return end > now ? `It was applied ${describeDuration(now.getTime() - lastAppliedAt.getTime())} ago.` : undefined;
};

const windowClosed: Rule = ({ windows, requested }) => {
  if (windows.open || requested) return undefined;
  const opening =
    windows.opensAt === undefined ? 'No opening is in sight' : `They may again from ${instantText(windows.opensAt)}`;
  return `Checks may not start now: ${windows.why}. ${opening}.`;
};

const disk: Rule = ({ roomLeft }) => (roomLeft ? undefined : 'There is not enough room left on the disk.');

/** What lasts longest is said first. */
const RULES: readonly (readonly [SkipCode, Rule])[] = [
  ['disabled', disabled],
  ['missing', missing],
  ['archived', archived],
  ['suspended', suspended],
  ['applying', applying],
  ['locked', locked],
  ['open_pull_request', touched],
  ['just_applied', justApplied],
  ['window_closed', windowClosed],
  ['disk', disk],
];
