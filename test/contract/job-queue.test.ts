import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createJobQueue } from '../../src/adapters/bullmq/create-job-queue.ts';
import { Secret } from '../../src/lib/secret.ts';
import { type JobQueue, type QueuedJob, RetryLaterError } from '../../src/ports/job-queue.ts';
import { postgresTestBackend, redisTestBackend, type TestQueueBackend } from '../support/job-queue-backends.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { until } from '../support/until.ts';

const BACKENDS = [
  ['PostgreSQL', postgresTestBackend],
  ['Redis', redisTestBackend],
] as const;

describe.each(BACKENDS)('job queue on %s', (_name, createBackend) => {
  let backend: TestQueueBackend;
  let queues: JobQueue[];

  beforeEach(async () => {
    backend = await createBackend();
    queues = [];
  });

  afterEach(async () => {
    await Promise.all(queues.map((queue) => queue.close()));
    await backend[Symbol.asyncDispose]();
  });

  async function open(lockMs?: number) {
    const logger = recordingLogger();
    const queue = await createJobQueue({
      backend: backend.options,
      logger,
      ...(lockMs === undefined ? {} : { lockMs }),
    });
    queues.push(queue);
    return { queue, logger };
  }

  test('a job reaches its handler with its payload, in another process than the one that added it', async () => {
    const { queue: door } = await open();
    const { queue: worker } = await open();
    const seen: QueuedJob<'event'>[] = [];
    await worker.serve({ event: async (job) => void seen.push(job) }, {});
    await door.enqueue('event', { host: 'github.com', deliveryId: 'd1' });
    await until(() => seen.length === 1);
    expect(seen[0]).toMatchObject({ name: 'event', payload: { host: 'github.com', deliveryId: 'd1' }, attempt: 1 });
    expect(seen[0]?.signal.aborted).toBe(false);
  });

  test('a waiting job of the same key is not added twice, and depth counts what waits', async () => {
    const { queue } = await open();
    for (let i = 0; i < 3; i += 1) await queue.enqueue('run', { runId: 'same' });
    await queue.enqueue('run', { runId: 'other' });
    await queue.enqueue('event', { host: 'h', deliveryId: 'same' });
    await queue.enqueue('cleanup', {}, { delayMs: 60_000 });
    expect(await queue.depth()).toMatchObject({
      event: 1,
      run: 2,
      publish: 0,
      sweep: 0,
      cleanup: 0,
      drift: 0,
      report: 0,
    });
  });

  test('many added at once under one key are one', async () => {
    const { queue: one } = await open();
    const { queue: two } = await open();
    await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? one : two).enqueue('run', { runId: 'same' })));
    expect((await one.depth()).run).toBe(1);
  });

  test('what is added while a job of its key runs is run once more, afterwards', async () => {
    const { queue } = await open();
    const gate = Promise.withResolvers<void>();
    let started = 0;
    let running = 0;
    let together = 0;
    const run = async () => {
      started += 1;
      running += 1;
      together = Math.max(together, running);
      await gate.promise;
      running -= 1;
    };
    await queue.serve({ run }, { run: 4 });
    await queue.enqueue('run', { runId: 'same' });
    await until(() => started === 1);
    for (let i = 0; i < 3; i += 1) await queue.enqueue('run', { runId: 'same' });
    await delay(200);
    expect(started).toBe(1);
    gate.resolve();
    await until(() => started === 2);
    await delay(300);
    expect({ started, together }).toEqual({ started: 2, together: 1 });
  });

  test('no wake-up is lost between a job that ends and one that is added', async () => {
    const { queue } = await open();
    const { queue: other } = await open();
    let wanted = 0;
    let seen = 0;
    let running = 0;
    let together = 0;
    const run = async () => {
      running += 1;
      together = Math.max(together, running);
      seen = wanted;
      await delay(1);
      running -= 1;
    };
    await queue.serve({ run }, { run: 3 });
    await other.serve({ run }, { run: 3 });
    for (let i = 0; i < 150; i += 1) {
      wanted += 1;
      await (i % 2 ? queue : other).enqueue('run', { runId: 'same' });
      if (i % 7 === 0) await delay(i % 5);
    }
    await until(() => seen === wanted);
    expect(together).toBe(1);
  });

  test('concurrency is per name: a busy name stops no other', async () => {
    const { queue } = await open();
    const gate = Promise.withResolvers<void>();
    let running = 0;
    let most = 0;
    let published = 0;
    const run = async () => {
      running += 1;
      most = Math.max(most, running);
      await gate.promise;
      running -= 1;
    };
    await queue.serve({ run, publish: async () => void (published += 1) }, { run: 2, publish: 1 });
    for (let i = 0; i < 5; i += 1) await queue.enqueue('run', { runId: `r${i}` });
    await until(() => running === 2);
    await queue.enqueue('publish', { pullRequestId: 'p', when: 'now' });
    await until(() => published === 1);
    expect({ most, waiting: (await queue.depth()).run }).toEqual({ most: 2, waiting: 3 });
    gate.resolve();
    await until(() => running === 0);
  });

  test('a lower priority number goes first, and a job without one before all', async () => {
    const { queue } = await open();
    const order: string[] = [];
    await queue.enqueue('run', { runId: 'late' }, { priority: 9 });
    await queue.enqueue('run', { runId: 'early' }, { priority: 2 });
    await queue.enqueue('run', { runId: 'first' });
    expect((await queue.depth()).run).toBe(3);
    await queue.serve({ run: async (job) => void order.push(job.payload.runId) }, { run: 1 });
    await until(() => order.length === 3);
    expect(order).toEqual(['first', 'early', 'late']);
  });

  test('a delayed job waits for its time', async () => {
    const { queue } = await open();
    let ranAt = 0;
    await queue.serve({ run: async () => void (ranAt = Date.now()) }, {});
    const addedAt = Date.now();
    await queue.enqueue('run', { runId: 'r' }, { delayMs: 600 });
    await until(() => ranAt > 0);
    expect(ranAt - addedAt).toBeGreaterThanOrEqual(590);
    expect(ranAt - addedAt).toBeLessThan(3_000);
  });

  test('one that is wanted at once pulls a delayed one of its key forward', async () => {
    const { queue } = await open();
    let ran = 0;
    await queue.serve({ run: async () => void (ran += 1) }, {});
    await queue.enqueue('run', { runId: 'r' }, { delayMs: 600_000 });
    await queue.enqueue('run', { runId: 'r' });
    await until(() => ran === 1);
    await delay(200);
    expect(ran).toBe(1);
  });

  test('a failing job is tried again with a pause, and its reason goes to the log and not into the backend', async () => {
    const { queue, logger } = await open();
    const attempts: number[] = [];
    const event = async (job: QueuedJob<'event'>) => {
      attempts.push(job.attempt);
      if (job.attempt === 1) throw new Error('canary-4711 was refused');
    };
    await queue.serve({ event }, {});
    await queue.enqueue('event', { host: 'h', deliveryId: 'd' });
    await until(() => attempts.length === 1);
    expect(await backend.dump()).toContain('deliveryId');
    await until(() => attempts.length === 2, 10_000);
    expect(attempts).toEqual([1, 2]);
    expect(await backend.dump()).not.toContain('canary-4711');
    expect(logger.entries.filter((entry) => entry.message === 'a job failed')).toMatchObject([
      { level: 'error', fields: { job: 'event', attempt: 1, err: { message: 'canary-4711 was refused' } } },
    ]);
  });

  test('a job of one attempt is not tried again, and its key is free afterwards', async () => {
    const { queue } = await open();
    let ran = 0;
    const run = async () => {
      ran += 1;
      throw new Error('no');
    };
    await queue.serve({ run }, {});
    await queue.enqueue('run', { runId: 'r' });
    await until(() => ran === 1);
    await delay(300);
    expect(ran).toBe(1);
    await queue.enqueue('run', { runId: 'r' });
    await until(() => ran === 2);
  });

  test('retry later waits until the instant and counts no attempt', async () => {
    const { queue } = await open();
    const calls: { attempt: number; at: number }[] = [];
    let retryAt = new Date();
    const run = async (job: QueuedJob<'run'>) => {
      calls.push({ attempt: job.attempt, at: Date.now() });
      if (calls.length > 2) return;
      retryAt = new Date(Date.now() + 400);
      throw new RetryLaterError('the host is resting', retryAt);
    };
    await queue.serve({ run }, {});
    await queue.enqueue('run', { runId: 'r' });
    await until(() => calls.length === 3);
    expect(calls.map((call) => call.attempt)).toEqual([1, 1, 1]);
    expect(calls[2]?.at).toBeGreaterThanOrEqual(retryAt.getTime() - 10);
  });

  test('a payload of another time is dropped with a word, not retried', async () => {
    const { queue, logger } = await open();
    let handled = 0;
    await queue.serve({ event: async () => void (handled += 1) }, {});
    const foreign = { deliveryId: 7 } as unknown as { host: string; deliveryId: string };
    await queue.enqueue('event', foreign);
    await until(() => logger.entries.some((entry) => entry.message.includes('does not understand')));
    await queue.enqueue('event', { host: 'h', deliveryId: 'd' });
    await until(() => handled === 1);
  });

  test('drain takes nothing new, waits for what runs, and leaves the rest for others', async () => {
    const { queue } = await open();
    const { queue: other } = await open();
    const done: string[] = [];
    const gate = Promise.withResolvers<void>();
    const handle = async (job: QueuedJob<'run'>) => {
      await gate.promise;
      done.push(`${job.payload.runId} ${job.signal.aborted}`);
    };
    await queue.serve({ run: handle }, { run: 1 });
    await queue.enqueue('run', { runId: 'a' });
    await until(async () => (await queue.depth()).run === 0);
    await queue.enqueue('run', { runId: 'b' });
    const drained = queue.drain(60_000);
    await delay(200);
    gate.resolve();
    await drained;
    expect(done).toEqual(['a false']);
    expect((await queue.depth()).run).toBe(1);
    await other.serve({ run: async (job) => void done.push(`other ${job.payload.runId}`) }, {});
    await until(() => done.length === 2);
    expect(done[1]).toBe('other b');
  });

  test('what outlasts the grace is told to stop, and waited for', async () => {
    const { queue } = await open();
    const { promise: started, resolve: start } = Promise.withResolvers<void>();
    let cleanedUp = false;
    const run = async (job: QueuedJob<'run'>) => {
      start();
      await new Promise<void>((resolve) => job.signal.addEventListener('abort', () => resolve()));
      await delay(300);
      cleanedUp = true;
    };
    await queue.serve({ run }, {});
    await queue.enqueue('run', { runId: 'a' });
    await started;
    const before = Date.now();
    await queue.drain(300);
    expect(cleanedUp).toBe(true);
    expect(Date.now() - before).toBeGreaterThanOrEqual(590);
  });

  test('repeated on three machines, a job is run once per period', async () => {
    let ran = 0;
    const machines = await Promise.all([open(), open(), open()]);
    for (const { queue } of machines) await queue.serve({ sweep: async () => void (ran += 1) }, {});
    const from = Date.now();
    await Promise.all(machines.map(({ queue }) => queue.repeat('sweep', {}, 1_000)));
    await delay(4_500);
    const periods = (Date.now() - from) / 1_000;
    expect(ran).toBeGreaterThanOrEqual(Math.floor(periods) - 1);
    expect(ran).toBeLessThanOrEqual(Math.ceil(periods / 0.9));
  });

  test('a repeated job that nobody takes does not pile up', async () => {
    const { queue } = await open();
    await queue.repeat('sweep', {}, 200);
    await delay(1_200);
    expect((await queue.depth()).sweep).toBe(1);
  });

  test('a job of a worker that was killed is run by another', async () => {
    const { queue } = await open(1_000);
    const worker = await startKillableWorker(backend);
    await queue.enqueue('event', { host: 'h', deliveryId: 'd' });
    await worker.until('started event');
    const attempts: number[] = [];
    await queue.serve({ event: async (job) => void attempts.push(job.attempt) }, {});
    await worker.kill();
    await until(() => attempts.length === 1, 15_000);
    expect(attempts).toEqual([1]);
  });

  test('a run of a worker that was killed is left to the sweep, whose job is then taken', async () => {
    const { queue } = await open(1_000);
    const worker = await startKillableWorker(backend);
    await queue.enqueue('run', { runId: 'r' });
    await worker.until('started run');
    let ran = 0;
    await queue.serve({ run: async () => void (ran += 1) }, {});
    await worker.kill();
    await delay(4_000);
    expect(ran).toBe(0);
    await queue.enqueue('run', { runId: 'r' });
    await until(() => ran === 1);
  });

  test('a run that the sweep adds before the dead worker was noticed is taken, too', async () => {
    const { queue } = await open(1_000);
    const worker = await startKillableWorker(backend);
    await queue.enqueue('run', { runId: 'r' });
    await worker.until('started run');
    await worker.kill();
    await queue.enqueue('run', { runId: 'r' });
    let ran = 0;
    await queue.serve({ run: async () => void (ran += 1) }, {});
    await until(() => ran === 1, 15_000);
  });

  test('an outage is waited out, said once, and loses nothing', async () => {
    const { queue, logger } = await open();
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
    const ran: string[] = [];
    const run = async (job: QueuedJob<'run'>) => {
      ran.push(job.payload.runId);
      if (job.payload.runId === 'across') await mayEnd;
    };
    await queue.serve({ run, sweep: async () => undefined }, { run: 2 });
    await queue.enqueue('run', { runId: 'across' });
    await until(() => ran.length === 1);
    await queue.enqueue('run', { runId: 'delayed' }, { delayMs: 2_500 });
    // Wake-ups of the very last moment may be lost in a crash; the sweep is there for them.
    await delay(1_000);
    await backend.crashForAWhile();
    await delay(300);
    end();
    await until(
      () =>
        queue.enqueue('run', { runId: 'after' }).then(
          () => true,
          () => false,
        ),
      30_000,
    );
    await until(() => ran.includes('after') && ran.includes('delayed'), 30_000);
    await until(() => logger.entries.length >= 2);
    await delay(1_500);
    expect(ran.toSorted()).toEqual(['across', 'after', 'delayed']);
    expect(logger.entries.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'warn the queue cannot be reached; jobs wait until it is back',
      'info the queue is back',
    ]);
    await queue.enqueue('run', { runId: 'across' });
    await until(() => ran.filter((id) => id === 'across').length === 2);
  });

  test('during an outage adding a job fails in time, and so does closing', async () => {
    const { queue } = await open();
    await queue.serve({ run: async () => undefined }, {});
    await backend.crashForAWhile();
    const before = Date.now();
    await queue.enqueue('run', { runId: 'r' }).catch(() => undefined);
    expect(Date.now() - before).toBeLessThan(8_000);
    await queue.close();
    expect(Date.now() - before).toBeLessThan(16_000);
  });

  test('after close nothing is added, and a second close is no error', async () => {
    const { queue } = await open();
    await queue.close();
    await queue.close();
    await expect(queue.enqueue('sweep', {})).rejects.toThrow(/closed.*sweep was not added/);
  });
});

/** A worker in a process of its own, whose handlers never end. */
async function startKillableWorker(backend: TestQueueBackend) {
  const script = fileURLToPath(new URL('../support/queue-worker.ts', import.meta.url));
  const child = execa(process.execPath, [script, backend.options.kind, backend.options.url.reveal(), '1000'], {
    reject: false,
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  return {
    until: (text: string) => until(() => output.includes(text), 20_000),
    kill: async () => {
      child.kill('SIGKILL');
      await child;
    },
  };
}

test('an unreachable backend is said at the start, with what to check', async () => {
  const logger = recordingLogger();
  const redis = createJobQueue({ backend: { kind: 'redis', url: new Secret('redis://:hunter2@127.0.0.1:1') }, logger });
  await expect(redis).rejects.toThrow(/Redis at 127.0.0.1:1 .*ECONNREFUSED.*HOLDFAST_REDIS_URL/);
  await expect(redis).rejects.not.toThrow(/hunter2/);
  const postgres = createJobQueue({
    backend: { kind: 'postgres', url: new Secret('postgresql://u:hunter2@127.0.0.1:1/x') },
    logger,
  });
  await expect(postgres).rejects.toThrow(/ECONNREFUSED/);
});
