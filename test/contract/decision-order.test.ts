import { sql } from 'kysely';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { createRecordStage, type RecordStage } from '../support/record-stage.ts';
import { until } from '../support/until.ts';

let stage: RecordStage;
beforeAll(async () => {
  stage = await createRecordStage();
});
beforeEach(() => stage.forget());

const waiting = sql<{ pid: number }>`
  select pid from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;

test('a decision that waited for the pull request is later than what it waited for', async () => {
  const pull = await stage.open(1);
  let decided: Promise<unknown> | undefined;
  const freed = await stage.db.transaction().execute(async (trx) => {
    await trx.selectFrom('pull_requests').select('id').where('id', '=', pull.id).forUpdate().execute();
    decided = stage.queue(pull, 'plan', ['a', 'b']);
    await until(async () => (await waiting.execute(stage.db)).rows[0]?.pid);
    const { rows } = await sql<{ at: string }>`select clock_timestamp()::text as at`.execute(trx);
    return rows[0]?.at;
  });
  await decided;
  const later = sql<boolean>`${freed}::timestamptz < `;
  const rows = await stage.db
    .selectFrom('runs')
    .innerJoin('batches', 'batches.id', 'runs.batch_id')
    .select(sql<boolean>`${later} batches.created_at and batches.created_at <= runs.queued_at`.as('later'))
    .select(sql<string>`runs.project->>'dir'`.as('dir'))
    .orderBy('runs.queued_at')
    .execute();
  expect(rows).toEqual([
    { later: true, dir: 'a' },
    { later: true, dir: 'b' },
  ]);
});
