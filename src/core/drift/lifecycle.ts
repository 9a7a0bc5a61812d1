import { type DriftFindings, isDrift } from './drift.ts';
import { endingWords, silenceWords } from './drift-ending.ts';
import type { DriftSettings } from './settings.ts';
import type { Silenced } from './silence-rules.ts';

/** What is remembered of a project's drift from check to check. JSON as it is; times are ISO 8601. */
export interface DriftState {
  /** undefined: none is known, or it is gone. */
  readonly drift: KnownDrift | undefined;
  /** How the last one that was confirmed came to its end. `ignored`: not in reality. */
  readonly ended: { readonly at: string; readonly sentence: string; readonly ignored: boolean } | undefined;
  /** Counts up when drift comes that is not just the last one come back; notifications are sent once in each. */
  readonly episode: number;
  /** When drift that was confirmed came and went of late. */
  readonly turns: readonly string[];
  /** Checks that failed, one after the other; they say nothing of drift. */
  readonly errors: { readonly since: string; readonly last: string; readonly count: number } | undefined;
  /** Checks in a row that came to no finding. */
  readonly unknowns: number;
}

export interface KnownDrift {
  readonly fingerprint: string;
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
  /** Checks in a row that saw drift, this or another. */
  readonly sightings: number;
  /** It was seen often enough to be reported. */
  readonly confirmed: boolean;
  /** Checks in a row that saw another drift than the one before. */
  readonly changes: number;
  /** Something is gone from reality. */
  readonly deletion: boolean;
  /** Checks in a row that saw it gone while it was known to come and go. */
  readonly absent: number;
  /** Set when nobody is to be told: the words with which a report is closed. They hold what people wrote. */
  readonly quiet: string | undefined;
}

/** A project that was never checked. */
export const NO_DRIFT: DriftState = {
  drift: undefined,
  ended: undefined,
  episode: 0,
  turns: [],
  errors: undefined,
  unknowns: 0,
};

export type DriftObservation =
  | {
      readonly kind: 'findings';
      /** As the check found it. */
      readonly findings: DriftFindings;
      /** What the project's rules leave of it. */
      readonly silenced: Pick<Silenced, 'findings' | 'quiet'>;
      /** False: the findings are those of the last check, and only the rules are others. */
      readonly fresh: boolean;
      /** Login of whoever had the drift put right just before. */
      readonly putRightBy: string | undefined;
    }
  /** The check came to an end, and proves nothing: the state moved under it, or is locked. */
  | { readonly kind: 'unknown' }
  /** The check failed. */
  | { readonly kind: 'error' };

export interface Observed {
  readonly state: DriftState;
  /** When to look again, before the project's schedule says so; undefined: then. */
  readonly recheckAt: Date | undefined;
}

const MINUTE_MS = 60_000;
/** Clouds may not list for a moment what is there. */
export const DELETION_RECHECK_MS = 2 * MINUTE_MS;
export const RECHECK_MS = 10 * MINUTE_MS;
const LONGEST_RETRY_MS = 6 * 60 * MINUTE_MS;
const UNKNOWN_RECHECKS = 2;
/** Drift that came and went as often within this time is held to be there, until it was gone for some checks. */
const FLAPPING_MS = 24 * 60 * MINUTE_MS;
const FLAPPING_TURNS = 3;
const FLAPPING_ABSENT_CHECKS = 3;

/** What is known after one more check, or after a change of the project's rules. Errors and checks without a finding change nothing about drift. */
export function observe(
  state: DriftState,
  observation: DriftObservation,
  settings: Pick<DriftSettings, 'confirmations'>,
  at: Date,
): Observed {
  if (observation.kind === 'error') return observeError(state, at);
  if (observation.kind === 'unknown' || observation.silenced.findings.sync === 'unknown')
    return observeNothing(state, at);
  const known = {
    ...state,
    ...(observation.fresh ? { errors: undefined, unknowns: 0 } : {}),
    turns: recent(state, at),
  };
  const { fingerprint } = observation.silenced.findings;
  return fingerprint === undefined
    ? observeAbsence(known, observation, at)
    : observeDrift(known, fingerprint, observation, settings, at);
}

/** Whether checks have failed for longer than the grace, and more than once. */
export function isFailing({ errors }: DriftState, { errorGraceMs }: Pick<DriftSettings, 'errorGraceMs'>): boolean {
  return errors !== undefined && errors.count > 1 && Date.parse(errors.last) - Date.parse(errors.since) >= errorGraceMs;
}

/** Whether drift came and went so often of late that its end is waited for. */
export function isFlapping({ turns }: Pick<DriftState, 'turns'>): boolean {
  return turns.length >= FLAPPING_TURNS;
}

function observeError(state: DriftState, at: Date): Observed {
  const count = (state.errors?.count ?? 0) + 1;
  const errors = { since: state.errors?.since ?? at.toISOString(), last: at.toISOString(), count };
  const wait = Math.min(RECHECK_MS * 2 ** (count - 1), LONGEST_RETRY_MS);
  return { state: { ...state, errors }, recheckAt: after(at, wait) };
}

function observeNothing(state: DriftState, at: Date): Observed {
  const unknowns = state.unknowns + 1;
  return {
    state: { ...state, unknowns },
    recheckAt: unknowns <= UNKNOWN_RECHECKS ? after(at, RECHECK_MS) : undefined,
  };
}

type Findings = Extract<DriftObservation, { kind: 'findings' }>;

function observeDrift(
  state: DriftState,
  fingerprint: string,
  { silenced, fresh }: Findings,
  { confirmations }: Pick<DriftSettings, 'confirmations'>,
  at: Date,
): Observed {
  const before = state.drift;
  const now = at.toISOString();
  const deletion = silenced.findings.resources.some(({ missing, kind }) => missing && isDrift(kind));
  const sightings = (before?.sightings ?? 0) + (fresh || before === undefined ? 1 : 0);
  const confirmed = before?.confirmed === true || sightings >= (deletion ? Math.min(confirmations, 2) : confirmations);
  const changes = before !== undefined && before.fingerprint !== fingerprint ? before.changes + 1 : 0;
  const drift: KnownDrift = {
    fingerprint,
    firstSeenAt: before?.firstSeenAt ?? now,
    lastSeenAt: fresh ? now : (before?.lastSeenAt ?? now),
    sightings,
    confirmed,
    changes: fresh ? changes : (before?.changes ?? 0),
    deletion,
    absent: 0,
    quiet: silenced.quiet && silenceWords(silenced.quiet),
  };
  const began = confirmed && before?.confirmed !== true;
  const turned = began ? { turns: [...state.turns, now], episode: state.episode + (isReturn(state, at) ? 0 : 1) } : {};
  const wait = deletion ? DELETION_RECHECK_MS : RECHECK_MS;
  return { state: { ...state, ...turned, drift }, recheckAt: confirmed ? undefined : after(at, wait) };
}

function observeAbsence(state: DriftState, { findings, silenced, fresh, putRightBy }: Findings, at: Date): Observed {
  const { drift } = state;
  if (drift?.confirmed !== true) return { state: { ...state, drift: undefined }, recheckAt: undefined };
  const isIgnored = findings.fingerprint !== undefined;
  const absent = drift.absent + (fresh ? 1 : 0);
  if (isFlapping(state) && !isIgnored && putRightBy === undefined && absent < FLAPPING_ABSENT_CHECKS) {
    return { state: { ...state, drift: { ...drift, absent } }, recheckAt: after(at, RECHECK_MS) };
  }
  const sentence = endingWords({ sync: silenced.findings.sync, isIgnored, putRightBy });
  const now = at.toISOString();
  const turns = [...state.turns, now];
  return {
    state: { ...state, drift: undefined, ended: { at: now, sentence, ignored: isIgnored }, turns },
    recheckAt: undefined,
  };
}

function isReturn({ ended }: DriftState, at: Date): boolean {
  return ended !== undefined && at.getTime() - Date.parse(ended.at) < FLAPPING_MS;
}

function recent({ turns }: DriftState, at: Date): readonly string[] {
  return turns.filter((turn) => at.getTime() - Date.parse(turn) < FLAPPING_MS);
}

function after(at: Date, ms: number): Date {
  return new Date(at.getTime() + ms);
}
