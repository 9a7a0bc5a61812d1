import { outputContext } from '../src/core/sealed-contexts.ts';
import type { WorkerContext } from './context.ts';

/** What a run printed so far; it was masked before it was stored. */
export async function readRunOutput(context: Pick<WorkerContext, 'runs' | 'seal'>, runId: string): Promise<string> {
  const parts: string[] = [];
  for (let next = 0; ; ) {
    const chunks = await context.runs.readOutput(runId, next);
    for (const { seq, chunk } of chunks)
      parts.push(context.seal.open(chunk, outputContext(runId, seq)).toString('utf8'));
    const last = chunks.at(-1);
    if (last === undefined) return parts.join('');
    next = last.seq + 1;
  }
}
