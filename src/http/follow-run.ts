import { setTimeout as delay } from 'node:timers/promises';
import type { RunRecord } from '../core/record.ts';
import { isFinal } from '../core/run.ts';
import type { PageSources } from './page-sources.ts';
import { runStateText } from './present-run.ts';
import { type LogPart, readLogParts } from './run-log.ts';

/** How often the record is asked for more, milliseconds. */
const POLL_MS = 500;
/** A line that says nothing, so that proxies do not take a quiet stream for a dead one; in polls. */
const POLLS_PER_HEARTBEAT = 30;
/** How long a browser waits before it connects again, milliseconds. */
const RETRY_MS = 2_000;
const END = 'event: end\ndata:\n\n';

/** How far a reader has come: which attempt of the run it reads, and the part of the log that comes next. */
export interface LogPosition {
  /** 0 before the run was started; undefined: whichever there is. */
  readonly attempt: number | undefined;
  readonly nextSeq: number;
}

/** An attempt is named by its start: a run that is repeated prints from the beginning. */
export function attemptOf(run: Pick<RunRecord, 'startedAt'>): number {
  return run.startedAt?.getTime() ?? 0;
}

export function formatPosition({ attempt = 0, nextSeq }: LogPosition): string {
  return `${attempt}.${nextSeq}`;
}

/** What cannot be read as a position means: from the beginning. */
export function parsePosition(text: string | undefined): LogPosition {
  const [, attempt, nextSeq] = /^(\d{1,15})\.(\d{1,9})$/.exec(text ?? '') ?? [];
  return attempt === undefined
    ? { attempt: undefined, nextSeq: 0 }
    : { attempt: Number(attempt), nextSeq: Number(nextSeq) };
}

/**
 * The log of a run as server-sent events, from a position until the run has ended. What the events mean is told in
 * `pages/static/live-log.js`. A run that was started (again) since ends the stream: its page is another one now.
 */
export async function* followRun(
  sources: PageSources,
  runId: string,
  from: LogPosition,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let position = from;
  let said: string | undefined;
  yield `retry: ${RETRY_MS}\n\n`;
  for (let polls = 1; !signal.aborted; polls += 1) {
    const run = await sources.runs.findRun(runId);
    if (run === undefined || (position.attempt ?? attemptOf(run)) !== attemptOf(run)) return yield END;
    position = { ...position, attempt: attemptOf(run) };
    const parts = await readLogParts(sources, runId, position.nextSeq);
    for (const part of parts) {
      position = { ...position, nextSeq: part.seq + 1 };
      yield logEvent(part, position);
    }
    if (parts.length > 0) continue;
    if (isFinal(run.state)) return yield END;
    const state = await runStateText(sources, run);
    if (state !== said) yield `event: state\ndata: ${oneLine(state)}\n\n`;
    else if (polls % POLLS_PER_HEARTBEAT === 0) yield ': still here\n\n';
    said = state;
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** The text may be hostile: every line end that the format knows gets a `data:` of its own, so that no line becomes a field. */
function logEvent({ text }: LogPart, position: LogPosition): string {
  const lines = text.replace(/\n$/, '').split(/\r\n|\r|\n/);
  return `id: ${formatPosition(position)}\n${lines.map((line) => `data: ${line}\n`).join('')}\n`;
}

function oneLine(text: string | undefined): string {
  return (text ?? '').replaceAll(/[\r\n]+/g, ' ');
}
