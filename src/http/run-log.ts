import { outputContext, planTextContext } from '../core/sealed-contexts.ts';
import { UnsealError } from '../lib/seal.ts';
import type { PageSources } from './page-sources.ts';

type LogSources = Pick<PageSources, 'runs' | 'seal'>;

export interface LogPart {
  readonly seq: number;
  /** Lines that end with `\n`. */
  readonly text: string;
}

/** What was stored of a run's output from `fromSeq` on, in order; a bounded number of parts at a time. */
export async function readLogParts({ runs, seal }: LogSources, runId: string, fromSeq: number): Promise<LogPart[]> {
  const stored = await runs.readOutput(runId, fromSeq);
  return stored.map(({ seq, chunk }) => ({
    seq,
    text: openOrExplain(() => seal.open(chunk, outputContext(runId, seq)).toString('utf8')),
  }));
}

/** The whole log, part by part. */
export async function* readLog(sources: LogSources, runId: string): AsyncGenerator<string> {
  for (let next = 0; ; ) {
    const parts = await readLogParts(sources, runId, next);
    for (const { text } of parts) yield text;
    const last = parts.at(-1);
    if (last === undefined) return;
    next = last.seq + 1;
  }
}

/** The last lines of the log, `maxChars` at most, and from where it goes on. */
export async function readLogEnd(
  sources: LogSources,
  runId: string,
  maxChars: number,
): Promise<{ readonly text: string; readonly cut: boolean; readonly nextSeq: number }> {
  let text = '';
  let cut = false;
  for (let nextSeq = 0; ; ) {
    const parts = await readLogParts(sources, runId, nextSeq);
    const last = parts.at(-1);
    if (last === undefined) return { text, cut, nextSeq };
    nextSeq = last.seq + 1;
    text += parts.map((part) => part.text).join('');
    if (text.length <= maxChars) continue;
    cut = true;
    text = text.slice(-maxChars);
    text = text.slice(text.indexOf('\n') + 1);
  }
}

/** Terraform's text of the plan; undefined once it is gone. */
export async function readPlanText(
  { pulls, seal }: Pick<PageSources, 'pulls' | 'seal'>,
  runId: string,
): Promise<string | undefined> {
  const sealed = (await pulls.readPlanTexts([runId])).get(runId);
  return sealed && openOrExplain(() => seal.open(sealed, planTextContext(runId)).toString('utf8'));
}

/** A lost key must not take the rest of the page with it. */
function openOrExplain(open: () => string): string {
  try {
    return open();
  } catch (error) {
    if (error instanceof UnsealError) return `[This cannot be read: ${error.message}.]\n`;
    throw error;
  }
}
