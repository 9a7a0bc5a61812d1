import { type RawBuilder, sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createNotificationStore } from '../../src/adapters/postgres/notification-store.ts';
import type { PullRequestRecord } from '../../src/core/record.ts';
import type { RunEnd } from '../../src/ports/run-store.ts';
import { buildRepository, HEAD } from '../support/builders.ts';
import { buildBranchProject } from '../support/drift-builders.ts';
import { wantNotification } from '../support/notification-rows.ts';
import { APPLIED, createRecordStage, dirKey, failedRun, planned, type RecordStage } from '../support/record-stage.ts';

const HOST = 'github.com';
const soon = () => new Date(Date.now() + 60_000);
const longAgo = () => new Date(Date.now() - 60_000);

let stage: RecordStage;
beforeAll(async () => {
  stage = await createRecordStage();
});
beforeEach(() => stage.forget());

const execute = (statement: RawBuilder<unknown>) => statement.execute(stage.db);

/** Puts one project through an operation. */
const run = async (pull: PullRequestRecord, operation: 'plan' | 'apply', end: RunEnd, dir = 'a') => {
  await stage.queue(pull, operation, [dir]);
  const started = await stage.start();
  if (end.apply !== undefined) await stage.runs.beginApply(started.lease);
  await stage.runs.finish(started.lease, end);
  return started;
};

/** Everybody has seen everything that is to be seen of it. */
const published = (pull: PullRequestRecord) =>
  execute(sql`update pull_requests set publish_done = publish_wanted where id = ${pull.id}`);

const close = async (pull: PullRequestRecord) => {
  const closed = await stage.pulls.save({ ...pull, state: 'merged' });
  await stage.decide(closed, { close: true });
  await published(closed);
  return closed;
};

const ids = async () =>
  (await stage.db.selectFrom('runs').select('id').orderBy('queued_at').execute()).map(({ id }) => id);

describe('what runs printed', () => {
  test('goes by its age, and never while the run goes on', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a']);
    const { lease, id } = await stage.start();
    for (const seq of [0, 1]) await stage.runs.appendOutput(lease, seq, Buffer.from('x'));
    expect(await stage.retention.prune('logs', soon())).toBe(0);
    await stage.runs.finish(lease, failedRun());
    expect(await stage.retention.prune('logs', longAgo())).toBe(0);
    expect(await stage.retention.prune('logs', soon())).toBe(2);
    expect(await stage.runs.findRun(id)).toBeDefined();
  });
});

describe('deliveries', () => {
  const receive = (id: string) =>
    stage.deliveries.receive({
      host: HOST,
      id,
      event: 'push',
      action: undefined,
      repository: undefined,
      payload: '{}',
    });

  test('go once they are handled or given up, never while they wait', async () => {
    for (const id of ['1', '2', '3']) await receive(id);
    await stage.deliveries.markHandled(HOST, '2');
    await stage.deliveries.markFailed(HOST, '3', 'never', true);
    expect(await stage.retention.prune('deliveries', longAgo())).toBe(0);
    expect(await stage.retention.prune('deliveries', soon())).toBe(2);
    expect(await stage.deliveries.find(HOST, '1')).toBeDefined();
  });

  test('a large backlog goes in statements of few rows each', async () => {
    await execute(sql`insert into deliveries (host, id, event, payload, state)
      select ${HOST}, n::text, 'push', '{}', 'handled' from generate_series(1, 3000) n`);
    await execute(sql`create table sizes (rows bigint)`);
    await execute(sql`create function count_rows() returns trigger language plpgsql as
      $$ begin insert into holdfast.sizes select count(*) from gone; return null; end $$`);
    await execute(sql`create trigger counted after delete on deliveries referencing old table as gone
      for each statement execute function count_rows()`);
    try {
      expect(await stage.retention.prune('deliveries', soon())).toBe(3000);
      const { rows } = await sql<{ rows: string }>`select rows from sizes where rows > 0`.execute(stage.db);
      expect(rows.length).toBeGreaterThan(1);
      expect(Math.max(...rows.map((size) => Number(size.rows)))).toBeLessThanOrEqual(1000);
    } finally {
      await execute(sql`drop trigger counted on deliveries`);
      await execute(sql`drop function count_rows`);
      await execute(sql`drop table sizes`);
    }
  });
});

describe('a pull request that ended', () => {
  test('goes with all that belongs to it', async () => {
    const pull = await stage.open(1);
    await run(pull, 'plan', planned());
    await run(pull, 'apply', failedRun());
    await close(pull);
    expect(await stage.retention.prune('runs', longAgo())).toBe(0);
    expect(await stage.retention.prune('runs', soon())).toBe(1);
    expect(await stage.pulls.find(pull.id)).toBeUndefined();
    for (const table of ['batches', 'runs', 'plans', 'replies', 'reactions'] as const)
      expect([table, await stage.db.selectFrom(table).selectAll().execute()]).toEqual([table, []]);
    expect(await stage.auditOf(`pull:${pull.id}`)).not.toEqual([]);
  });

  test('stays while it is open, holds a lock, runs, is to be cleaned up, or is not published', async () => {
    const remains = async (pull: PullRequestRecord) => {
      await stage.retention.prune('runs', soon());
      return (await stage.pulls.find(pull.id)) !== undefined;
    };
    const open = await stage.open(1);
    await published(open);
    expect(await remains(open)).toBe(true);

    const holder = await stage.pulls.save({ ...(await stage.open(2)), state: 'closed' });
    await stage.takeLocks(holder, ['a']);
    await published(holder);
    expect(await remains(holder)).toBe(true);

    const running = await stage.open(4);
    await stage.queue(running, 'plan', ['b']);
    await stage.pulls.save({ ...running, state: 'closed' });
    await published(running);
    expect(await remains(running)).toBe(true);

    const pending = await close(await stage.open(5));
    await execute(sql`update pull_requests set cleanup_pending = true where id = ${pending.id}`);
    expect(await remains(pending)).toBe(true);

    const unseen = await close(await stage.open(6));
    await stage.publications.want(unseen.id);
    expect(await remains(unseen)).toBe(true);
  });

  test('stays as long as nothing newer was applied to its project', async () => {
    const first = await stage.open(1);
    await run(first, 'plan', planned());
    await run(first, 'apply', APPLIED);
    await close(first);
    await stage.retention.prune('runs', soon());
    expect((await stage.runs.findLastApplies([dirKey('a')])).get(dirKey('a'))?.id).toBe(first.id);
    expect(await stage.pulls.find(first.id)).toBeDefined();

    const second = await stage.open(2);
    await run(second, 'plan', planned());
    await run(second, 'apply', APPLIED);
    await close(second);
    await stage.retention.prune('runs', soon());
    expect(await stage.pulls.find(first.id)).toBeUndefined();
    expect((await stage.runs.findLastApplies([dirKey('a')])).get(dirKey('a'))?.id).toBe(second.id);
  });

  test('is not waited for while somebody works with it', async () => {
    const busy = await close(await stage.open(1));
    const idle = await close(await stage.open(2));
    await stage.db.transaction().execute(async (trx) => {
      await trx.selectFrom('pull_requests').select('id').where('id', '=', busy.id).forUpdate().execute();
      expect(await stage.retention.prune('runs', soon())).toBe(1);
    });
    expect(await stage.pulls.find(busy.id)).toBeDefined();
    expect(await stage.pulls.find(idle.id)).toBeUndefined();
  });
});

describe('a run on the tracked branch', () => {
  const check = async (state: 'succeeded' | 'failed' = 'succeeded') => {
    const start = () => ({ start: [dirKey('a')], skip: new Map() });
    await stage.drift.schedule(start, new Date(Date.now() + 7 * 3_600_000));
    const started = await stage.start();
    const result = { kind: 'checked', sync: 'in_sync', drifting: 0, differing: 0 } as const;
    const end = { state, result, phases: [] };
    await stage.drift.finish(started.lease, end, ({ due }) => ({
      changes: { due: { ...due, dueAt: new Date(0) } },
      report: false,
    }));
    return started.id;
  };

  beforeEach(async () => {
    await stage.pulls.saveRepository(buildRepository());
    await stage.drift.track(buildRepository(), 'main');
    const read = { tip: HEAD, settingsDigest: 's', projects: [buildBranchProject('a')] };
    await stage.drift.syncProjects('github.com/42', read, new Date(0));
  });

  test('goes once there is a newer one of its project, and takes no pull request with it', async () => {
    const [first, second] = [await check(), await check('failed')];
    expect(await ids()).toEqual([first, second]);
    expect(await stage.retention.prune('runs', longAgo())).toBe(0);
    expect(await stage.retention.prune('runs', soon())).toBe(1);
    expect(await ids()).toEqual([second]);
    const pull = await stage.open(1);
    await run(pull, 'plan', planned(), 'b');
    expect(await stage.retention.prune('runs', soon())).toBe(0);
  });

  test('stays while it goes on, and with a state that could not be stored', async () => {
    const kept = await check();
    await execute(sql`insert into artifacts (run_id, name, content) values (${kept}, 'errored.tfstate', 'x')`);
    await check();
    await stage.drift.schedule(() => ({ start: [dirKey('a')], skip: new Map() }), new Date());
    const { id } = await stage.start();
    expect(await stage.retention.prune('runs', soon())).toBe(1);
    expect(await ids()).toEqual([kept, id]);
  });
});

test('a notification goes once it arrived or was given up', async () => {
  const store = createNotificationStore(stage.db);
  const [sent, lost, wanted] = [
    await wantNotification(stage.db),
    await wantNotification(stage.db, { dir: 'b' }),
    await wantNotification(stage.db, { dir: 'c' }),
  ];
  await store.saveSent(sent);
  await store.giveUp(lost, 'gone');
  expect(await stage.retention.prune('deliveries', longAgo())).toBe(0);
  expect(await stage.retention.prune('deliveries', soon())).toBe(2);
  expect(await store.list({ limit: 9 })).toMatchObject([{ id: wanted }]);
});

describe('a pull request that stays open', () => {
  test('loses what newer runs have taken the place of, and nothing that it is judged by', async () => {
    const pull = await stage.open(1);
    const superseded = await run(pull, 'plan', planned());
    const onlyFailed = await run(pull, 'plan', failedRun(), 'b');
    const stillPlanned = await run(pull, 'plan', planned(), 'c');
    const laterFailed = await run(pull, 'plan', failedRun(), 'c');
    const current = await run(pull, 'plan', planned());
    const applied = await run(pull, 'apply', failedRun());
    const before = await stage.runs.readState(pull.id);
    expect(before?.plans.map((plan) => plan.runId).toSorted()).toEqual([stillPlanned.id, current.id].toSorted());

    expect(await stage.retention.prune('runs', longAgo())).toBe(0);
    await stage.retention.prune('runs', soon());
    expect(await stage.runs.findRun(superseded.id)).toBeUndefined();
    const left = [onlyFailed, stillPlanned, laterFailed, current, applied];
    expect(await ids()).toEqual(left.map(({ id }) => id));
    expect(await stage.runs.readState(pull.id)).toEqual(before);
  });

  test('keeps a state that could not be stored, however old', async () => {
    const pull = await stage.open(1);
    const artifacts = [{ name: 'errored.tfstate', content: Buffer.from('state') }];
    const lost = await run(pull, 'apply', { ...failedRun(true), artifacts });
    await run(pull, 'apply', failedRun());
    await stage.retention.prune('runs', soon());
    expect(await stage.runs.readArtifact(lost.id, 'errored.tfstate')).toEqual(Buffer.from('state'));
  });

  test('keeps the newest batch of each operation, also one without runs', async () => {
    const pull = await stage.open(1);
    for (const _ of [1, 2]) await stage.decide(pull, { batch: stage.batch('plan', []) });
    const kept = (await stage.runs.readState(pull.id))?.planBatch?.id;
    await stage.retention.prune('runs', soon());
    expect(await stage.db.selectFrom('batches').select('id').execute()).toEqual([{ id: kept }]);
  });

  test('loses answers that were given, but not the newest answer to an apply', async () => {
    const pull = await stage.open(1);
    const answer = (key: string, kind: string, state: string, minimized = false) =>
      execute(sql`insert into replies (id, key, pull_request_id, kind, view, state, minimized)
        values (${key}, ${key}, ${pull.id}, ${kind}, '{}', ${state}, ${minimized})`);
    await answer('given', 'command', 'posted');
    await answer('given up', 'command', 'given_up');
    await answer('owed', 'command', 'wanted');
    await answer('asked', 'command', 'posting');
    await answer('folded', 'apply', 'posted', true);
    await answer('newest', 'apply', 'posted');
    expect(await stage.retention.prune('runs', longAgo())).toBe(0);
    expect(await stage.retention.prune('runs', soon())).toBe(3);
    const left = await stage.db.selectFrom('replies').select('id').orderBy('id').execute();
    expect(left.map(({ id }) => id)).toEqual(['asked', 'newest', 'owed']);
  });
});

test('the audit log goes by its age alone', async () => {
  const pull = await stage.open(1);
  await stage.decide(pull, {});
  await execute(sql`update audit_log set at = at - interval '2 hours'`);
  await stage.decide(pull, {});
  expect(await stage.retention.prune('audit', new Date(Date.now() - 3600_000))).toBe(1);
  expect(await stage.auditOf(`pull:${pull.id}`)).toEqual(['test']);
});

test('neither removing nor counting reads a whole table that grows', async () => {
  const pull = await stage.open(1);
  await run(pull, 'plan', failedRun());
  await multiply('audit_log', sql`jsonb_build_object('id', 10000 + n)`);
  await multiply('batches', sql`jsonb_build_object('id', n::text, 'trigger_key', n::text)`);
  await multiply('runs', sql`jsonb_build_object('id', n::text, 'batch_id', n::text)`);
  await execute(sql`insert into deliveries (host, id, event, payload, state)
    select ${HOST}, n::text, 'push', '{}', 'handled' from generate_series(1, 5000) n`);
  await execute(sql`insert into run_output (run_id, seq, chunk)
    select n::text, 0, 'x' from generate_series(1, 5000) n`);
  await execute(sql`vacuum analyze`);
  const scans = await scansDuring(async () => {
    for (const kind of ['logs', 'plans', 'deliveries', 'runs', 'audit'] as const)
      expect(await stage.retention.prune(kind, longAgo())).toBe(0);
    expect(await stage.runs.countByState()).toEqual({ failed: 5001 });
  });
  expect(scans).toEqual([]);
});

/** 5,000 rows like the first one, apart from `changes`. */
const multiply = (table: string, changes: RawBuilder<unknown>) =>
  execute(sql`insert into ${sql.table(table)}
    select (jsonb_populate_record(one, ${changes})).* from ${sql.table(table)} one, generate_series(1, 5000) n
    where one.ctid = (select ctid from ${sql.table(table)} limit 1)`);

/** The larger tables that were read from end to end meanwhile. */
async function scansDuring(work: () => Promise<void>): Promise<readonly string[]> {
  const read = async () => {
    // What the connections of the pool have counted reaches the shared statistics when asked for, or after a while.
    await stage.db.connection().execute(async (one) => sql`select pg_stat_force_next_flush()`.execute(one));
    const { rows } = await sql<{ name: string; scans: string }>`
      select relname as name, seq_scan as scans from pg_stat_user_tables where n_live_tup > 1000`.execute(stage.db);
    return new Map(rows.map(({ name, scans }) => [name, Number(scans)]));
  };
  const before = await read();
  await work();
  const after = await read();
  return [...after].filter(([name, scans]) => scans > (before.get(name) ?? 0)).map(([name]) => name);
}
