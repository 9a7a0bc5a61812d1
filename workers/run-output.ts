import { outputContext } from '../src/core/sealed-contexts.ts';
import { createMasker, type Masker, type MaskingStream } from '../src/lib/mask.ts';
import { stripControl } from '../src/lib/strip-control.ts';
import type { Lease } from '../src/ports/run-store.ts';
import type { WorkerContext } from './context.ts';

/** How long lines are gathered before they are stored, milliseconds: a person who watches sees them soon enough. */
const FLUSH_MS = 400;
const CHUNK_CHARS = 32 * 1024;
/** Of one run; what comes after is not kept, and said. */
const MAX_CHARS = 8 * 1024 * 1024;
const TAIL_LINES = 60;

/** What a run prints: masked line by line, sealed, stored while it runs. */
export interface RunOutput {
  readonly onLine: (line: string) => void;
  /** Values that must not be seen from now on. */
  readonly maskValues: (values: readonly string[]) => void;
  /** Masks a text of this run that goes elsewhere: a reason, a diagnostic, a plan. */
  mask(text: string): string;
  /** The last lines, masked. */
  tail(): string;
  /** Stores what is left. */
  close(): Promise<void>;
}

/** `secrets`: what is known from the start, such as credentials. */
export function openRunOutput(context: WorkerContext, lease: Lease, secrets: readonly string[]): RunOutput {
  const known = new Set(secrets);
  let masker: Masker = createMasker(known);
  let stream: MaskingStream = masker.stream();
  let pending = '';
  let total = 0;
  let seq = 0;
  let last: readonly string[] = [];
  let writing: Promise<void> = Promise.resolve();
  /** Something was stored before all secrets were known. */
  let storedEarly = false;

  const flush = (): void => {
    if (pending === '') return;
    const text = pending;
    const at = seq;
    pending = '';
    seq += 1;
    writing = writing.then(() => store(context, lease, at, text));
  };
  const append = (text: string): void => {
    if (text === '' || total > MAX_CHARS) return;
    total += text.length;
    last = [...last, ...text.split('\n').slice(0, -1)].slice(-TAIL_LINES);
    pending += total > MAX_CHARS ? '[the rest of the output is not kept: it is too long]\n' : text;
    if (pending.length > CHUNK_CHARS) flush();
  };
  const timer = setInterval(flush, FLUSH_MS);
  return {
    onLine: (line) => append(stream.push(`${stripControl(line)}\n`)),
    maskValues: (values) => {
      const before = known.size;
      for (const value of values) known.add(value);
      if (known.size === before) return;
      append(stream.end());
      storedEarly ||= seq > 0 || pending !== '';
      masker = createMasker(known);
      stream = masker.stream();
    },
    mask: (text) => masker.mask(text),
    tail: () => last.join('\n'),
    close: async () => {
      clearInterval(timer);
      append(stream.end());
      flush();
      await writing;
      if (storedEarly) await maskAgain(context, lease, masker);
    },
  };
}

/** A secret that only showed later may stand in what was stored before; whoever comes from now on does not see it. */
async function maskAgain(context: WorkerContext, lease: Lease, masker: Masker): Promise<void> {
  try {
    let chunks = await context.runs.readOutput(lease.runId, 0);
    while (chunks.length > 0) {
      for (const chunk of chunks) await maskChunk(context, lease, masker, chunk);
      chunks = await context.runs.readOutput(lease.runId, (chunks.at(-1)?.seq ?? 0) + 1);
    }
  } catch (error) {
    context.logger.warn({ run: lease.runId, error }, 'the run output could not be masked once more');
  }
}

async function maskChunk(
  context: WorkerContext,
  lease: Lease,
  masker: Masker,
  { seq, chunk }: { readonly seq: number; readonly chunk: Buffer },
): Promise<void> {
  const text = context.seal.open(chunk, outputContext(lease.runId, seq)).toString('utf8');
  const masked = masker.mask(text);
  if (masked !== text) await store(context, lease, seq, masked);
}

/** A log that cannot be stored must not fail the run it tells of. */
async function store(context: WorkerContext, lease: Lease, seq: number, text: string): Promise<void> {
  try {
    await context.runs.appendOutput(lease, seq, context.seal.seal(text, outputContext(lease.runId, seq)));
  } catch (error) {
    context.logger.warn({ run: lease.runId, error }, 'a part of the run output could not be stored');
  }
}
