import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { until } from '../support/until.ts';
import { type BenchDatabase, startBenchDatabase } from './bench-database.ts';
import { type Benchmark, exactly } from './figure.ts';
import { measurePairs, ratioFigure } from './pairs.ts';
import { sendDeliveries, type Sending } from './send-deliveries.ts';
import { openStage, type Stage } from './stage.ts';
import { quantile } from './statistics.ts';

const RATIO_GOAL = 3;
const COUNT = 2_000;
const CONNECTIONS = 20;
const EVENT = 'issue_comment';
const DRAIN_MS = 180_000;

type Load = Pick<Sending, 'body' | 'event' | 'secret' | 'count' | 'connections'>;

export const deliveries: Benchmark = {
  name: 'deliveries',
  about: `${COUNT} deliveries over ${CONNECTIONS} connections while their jobs run: p99 of the answer / Node's HTTP server and one INSERT`,
  run: async (options) => {
    await using database = await startBenchDatabase();
    await using stage = await openStage({
      files: () => ({ 'README.md': 'nothing to plan' }),
      environment: { HOLDFAST_DATABASE_URL: database.url },
    });
    await using receiver = await startBareReceiver(database);
    const load: Load = {
      body: await recordDelivery(stage),
      event: EVENT,
      secret: stage.secret,
      count: COUNT,
      connections: CONNECTIONS,
    };
    const door = `${stage.holdfast.url}/webhooks/github`;
    const pairs = await measurePairs(options, {
      ours: async () => {
        const p99 = await sendAll(load, door);
        await allHandled(database);
        return p99;
      },
      bare: () => sendAll(load, receiver.url),
    });
    const lost = await loseNothing(stage, database, load, door);
    return [
      ratioFigure('answer to a delivery, p99', RATIO_GOAL, pairs, {}),
      {
        name: 'accepted deliveries lost by SIGKILL',
        unit: 'count',
        goal: 0,
        samples: 1,
        ...exactly(lost.lost),
        details: { accepted: lost.accepted },
      },
    ];
  },
};

async function startBareReceiver(database: BenchDatabase): Promise<AsyncDisposable & { readonly url: string }> {
  const child = fork(join(import.meta.dirname, 'bare-receiver.ts'), {
    env: { DATABASE_URL: database.url },
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const [address] = (await once(child, 'message')) as [AddressInfo];
  return {
    url: `http://127.0.0.1:${address.port}/`,
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

/** A comment that is prose, as most are: the job reads and understands it, and has nothing to do. */
async function recordDelivery(stage: Stage): Promise<string> {
  const { github, repository } = stage;
  const order = { author: 'ann', title: 'Prose', branch: 'prose', files: { 'README.md': 'still nothing' } };
  const pull = await github.openPullRequest(repository, order);
  github.comment(pull, 'ann', 'Looks good to me, let us ship it.');
  await stage.quiet();
  const delivery = github.deliveries.findLast(({ event }) => event === EVENT);
  if (delivery === undefined) throw new Error('the local GitHub sent no comment');
  return delivery.body;
}

async function sendAll(load: Load, url: string): Promise<number> {
  const { answerMs, accepted } = await sendDeliveries({ ...load, url });
  if (accepted.length !== load.count) throw new Error(`${load.count - accepted.length} deliveries were not accepted`);
  return quantile(answerMs, 0.99);
}

async function allHandled(database: BenchDatabase): Promise<void> {
  await until(
    async () => {
      const [row] = await database.query(`select 1 from holdfast.deliveries where state = 'received' limit 1`);
      return row === undefined ? true : undefined;
    },
    DRAIN_MS,
    100,
  );
}

/** Killed while half of the deliveries are on their way; whatever was answered 202 by then has to be in the table. */
async function loseNothing(
  { holdfast }: Stage,
  database: BenchDatabase,
  load: Load,
  url: string,
): Promise<{ readonly accepted: number; readonly lost: number }> {
  let killed: Promise<void> | undefined;
  const onAnswer = (answered: number): void => {
    if (answered >= load.count / 2) killed ??= holdfast.kill();
  };
  const { accepted } = await sendDeliveries({ ...load, url, onAnswer });
  await killed;
  const rows = await database.query('select id from holdfast.deliveries');
  const stored = new Set(rows.map((row) => String(row['id'])));
  return { accepted: accepted.length, lost: accepted.filter((id) => !stored.has(id)).length };
}
