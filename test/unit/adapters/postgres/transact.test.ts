import type { Kysely } from 'kysely';
import pg from 'pg';
import { expect, test } from 'vitest';
import { isOutage } from '../../../../src/adapters/bullmq/outage-log.ts';
import type { Database } from '../../../../src/adapters/postgres/schema.ts';
import { transact } from '../../../../src/adapters/postgres/transact.ts';
import { RecordUnavailableError } from '../../../../src/ports/run-store.ts';

/** A database whose every transaction fails so. */
const failing = (error: unknown) =>
  ({ transaction: () => ({ execute: () => Promise.reject(error) }) }) as unknown as Kysely<Database>;
const said = (code: string) => Object.assign(new pg.DatabaseError('no', 2, 'error'), { code });
const outcome = (error: unknown) => transact(failing(error), async () => {}).catch((thrown: unknown) => thrown);

const NOWHERE = Object.assign(new AggregateError([new Error('connect ECONNREFUSED ::1:5432')]), {
  code: 'ECONNREFUSED',
});

test.each([NOWHERE, said('57P01'), said('40001'), said('57014'), said('55P03')])('%s passes', async (error) => {
  expect(await outcome(error)).toBeInstanceOf(RecordUnavailableError);
});

test.each([said('23505'), said('22021'), new Error('other')])('%s is told as it is', async (error) => {
  expect(await outcome(error)).toBe(error);
});

test('a queue of several addresses, none of which answers, is an outage', () => {
  expect(isOutage(NOWHERE)).toBe(true);
  expect(isOutage(said('40001'))).toBe(false);
});
