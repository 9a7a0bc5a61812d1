import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectPostgres } from '../../src/adapters/postgres/connection.ts';
import { createRunStore } from '../../src/adapters/postgres/run-store.ts';
import { Secret } from '../../src/lib/secret.ts';
import { RecordUnavailableError } from '../../src/ports/run-store.ts';
import { createRecordStage, failedRun, type RecordStage } from '../support/record-stage.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { until } from '../support/until.ts';

let stage: RecordStage;
beforeAll(async () => {
  stage = await createRecordStage();
});
beforeEach(() => stage.forget());

const startRun = async () => {
  await stage.queue(await stage.open(1), 'plan', ['a']);
  return stage.start();
};

/** Ends a run while another transaction holds its pull request, and does something to it as it waits. */
const endWhileHeld = async (url: Secret, meanwhile: () => Promise<unknown>) => {
  const { lease, pullRequestId } = await startRun();
  const connection = connectPostgres({
    url,
    logger: recordingLogger(),
    applicationName: 'ending',
    statementTimeoutMs: 1_000,
  });
  try {
    return await stage.db.transaction().execute(async (trx) => {
      await trx
        .selectFrom('pull_requests')
        .select('id')
        .where('id', '=', pullRequestId ?? '')
        .forUpdate()
        .execute();
      const ending = createRunStore(connection.db)
        .finish(lease, failedRun())
        .catch((error: unknown) => error);
      await meanwhile();
      return ending;
    });
  } finally {
    await connection.close();
  }
};

const waiting = sql<{ pid: number }>`
  select pid from pg_stat_activity where application_name = 'ending' and wait_event_type = 'Lock' and datname = current_database()`;

describe('a write that may succeed later', () => {
  test('is one whose connection is cut', async () => {
    const error = await endWhileHeld(stage.database.url, async () => {
      const pid = await until(async () => (await waiting.execute(stage.db)).rows[0]?.pid);
      await sql`select pg_terminate_backend(${pid})`.execute(stage.db);
    });
    expect(error).toBeInstanceOf(RecordUnavailableError);
    expect((error as Error).message).toMatch(/terminat/);
  });

  test('is one that had to wait for too long', async () => {
    const error = await endWhileHeld(stage.database.url, async () => {});
    expect(error).toBeInstanceOf(RecordUnavailableError);
    expect((error as Error).message).toContain('statement timeout');
  });

  test('is one that meets no database', async () => {
    const nowhere = new URL(stage.database.url.reveal());
    nowhere.host = '127.0.0.1:1';
    nowhere.searchParams.delete('host');
    const error = await endWhileHeld(new Secret(nowhere.href), async () => {});
    expect(error).toBeInstanceOf(RecordUnavailableError);
    expect((error as Error).message).toContain('ECONNREFUSED');
  });
});

test('a write that the database refuses is told as it is', async () => {
  const { lease } = await startRun();
  const artifacts = [{ name: 'a\0b', content: Buffer.from('x') }];
  const error = await stage.runs.finish(lease, { ...failedRun(), artifacts }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: '22021' });
  expect(error).not.toBeInstanceOf(RecordUnavailableError);
});
