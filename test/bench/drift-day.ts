import { connectPostgres } from '../../src/adapters/postgres/connection.ts';
import { migrate } from '../../src/adapters/postgres/migrate.ts';
import { Secret } from '../../src/lib/secret.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { type BenchDatabase, startBenchDatabase } from './bench-database.ts';
import { type Benchmark, exactly, type Figure } from './figure.ts';
import { busiestMinute, type DaySize, longestGaps, simulateDay, type SimulatedDay, TICK_MS } from './simulated-day.ts';
import { estimateMedian, quantile } from './statistics.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const EVERY_MS = 6 * HOUR_MS;
const PROJECTS = 10_000;
const PER_REPOSITORY = 100;
const START = Date.parse('2026-11-21T00:00:00Z');
/** The process is killed here, and another comes an hour later. */
const KILLED = START + 11.5 * HOUR_MS;
const BACK = KILLED + HOUR_MS;
const GOALS = { gap: 1.5, minute: 2, early: 0 };

export const driftDay: Benchmark = {
  name: 'drift-day',
  about: `a simulated day of checks every six hours, ${PROJECTS} projects, killed in the middle for an hour`,
  long: true,
  run: async ({ say, projects = PROJECTS }) => {
    await using database = await startBenchDatabase();
    const size = { projects, repositories: Math.ceil(projects / PER_REPOSITORY), everyMs: EVERY_MS };
    await prepare(database);
    await using day = await simulateDay(database, size, START);
    const startedAt = performance.now();
    await play(day, say);
    return figures(day, size, (performance.now() - startedAt) / 1000);
  },
};

async function prepare({ url }: BenchDatabase): Promise<void> {
  const connection = connectPostgres({ url: new Secret(url), logger: recordingLogger() });
  await migrate(connection.db);
  await connection.close();
}

async function play(day: SimulatedDay, say: (text: string) => void): Promise<void> {
  for (let now = START; now < START + DAY_MS; now += TICK_MS) {
    if (now === BACK) await day.restart();
    if (now < KILLED || now >= BACK) await day.tick(now);
    if ((now - START) % (2 * HOUR_MS) === 0)
      say(`  ${String((now - START) / HOUR_MS).padStart(2, '0')}:00: ${day.starts.length} checks begun`);
  }
}

function figures(day: SimulatedDay, { projects }: DaySize, seconds: number): readonly Figure[] {
  const { starts, looks } = day;
  const gaps = [...longestGaps(starts, START, START + DAY_MS).values()];
  if (gaps.length !== projects) throw new Error(`${projects - gaps.length} projects were never checked`);
  const mean = (projects * DAY_MS) / EVERY_MS / (DAY_MS / 60_000);
  const after = starts.filter(({ at }) => at >= BACK);
  const early = starts.filter(({ at, dueAt }) => !(dueAt <= at));
  const overdue = after.filter(({ dueAt }) => dueAt < BACK);
  const lastOverdue = Math.max(...overdue.map(({ at }) => at));
  const of = `${projects} projects, a day`;
  return [
    {
      name: `${of}: longest time without a check / interval`,
      unit: 'ratio',
      goal: GOALS.gap,
      samples: starts.length,
      ...exactly(Math.max(...gaps) / EVERY_MS),
      details: { 'checks begun': starts.length },
    },
    {
      name: `${of}: busiest minute / mean`,
      unit: 'ratio',
      goal: GOALS.minute,
      samples: starts.length,
      ...exactly(busiestMinute(starts) / mean),
      details: { 'busiest minute': busiestMinute(starts), mean },
    },
    {
      name: `${of}: begun before they were due`,
      unit: 'count',
      goal: GOALS.early,
      samples: starts.length,
      ...exactly(early.length),
      details: { 'overdue at the restart': overdue.length, 'minutes until all of them': (lastOverdue - BACK) / 60_000 },
    },
    {
      name: `${of}: one look at the schedule`,
      unit: 'ms',
      samples: looks.length,
      ...estimateMedian(looks),
      details: { 'p99 ms': quantile(looks, 0.99), 'seconds for the day': seconds },
    },
  ];
}
