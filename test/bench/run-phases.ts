import type { BenchDatabase } from './bench-database.ts';
import { median } from './statistics.ts';

/** Where the time of a run went, milliseconds by name. */
export type RunPhases = Readonly<Record<string, number>>;

/** Of the newest run that ended, between the moments (milliseconds since the epoch) that the host saw. */
export async function readRunPhases(
  database: BenchDatabase,
  acceptedAt: number,
  commentedAt: number,
): Promise<RunPhases> {
  const [row] = await database.query(
    `select extract(epoch from queued_at) * 1000 as queued, extract(epoch from claimed_at) * 1000 as claimed,
       extract(epoch from started_at) * 1000 as started, extract(epoch from finished_at) * 1000 as finished, phases
     from holdfast.runs where finished_at is not null order by finished_at desc limit 1`,
  );
  if (row === undefined) throw new Error('no run has ended');
  const [queued, claimed, finished] = ['queued', 'claimed', 'finished'].map((name) => Number(row[name]));
  if (queued === undefined || claimed === undefined || finished === undefined) throw new Error('a run has no times');
  const steps = row['phases'] as readonly { readonly name: string; readonly ms: number }[];
  const inSteps = steps.reduce((sum, { ms }) => sum + ms, 0);
  return {
    decide: queued - acceptedAt,
    claim: claimed - queued,
    ...Object.fromEntries(steps.map(({ name, ms }) => [name, ms])),
    'rest of the run': finished - claimed - inSteps,
    publish: commentedAt - finished,
  };
}

export function medianPhases(all: readonly RunPhases[]): RunPhases {
  const names = Object.keys(all[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, Math.round(median(all.map((one) => one[name] ?? 0)))]));
}
