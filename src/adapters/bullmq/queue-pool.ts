import { ConnectionClosedError, type PgPool } from 'bullmq';
import type pg from 'pg';
import { isOutage, type OutageLog } from './outage-log.ts';

/**
 * The pool as BullMQ is to see it. BullMQ knows a lost connection by ECONNREFUSED alone and gives a job's outcome up at every other error; here
 * each way of being unreachable becomes its own `ConnectionClosedError`, at which it waits and tries again.
 */
export function queuePool(pool: pg.Pool, outage: OutageLog): PgPool {
  const guard = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (!isOutage(error)) throw error;
      outage.failed(error);
      throw Object.assign(new ConnectionClosedError('the queue database cannot be reached'), { cause: error });
    }
  };
  // The types of pg and those that BullMQ declares for it differ in their overloads only.
  const bullmqPool = pool as unknown as PgPool;
  const view: PgPool = {
    query: async (text, params) => {
      const result = await guard(bullmqPool.query(text, params));
      outage.recovered();
      return result;
    },
    // No proof that the database is there: the pool may hand out a connection that it does not yet know to be dead.
    connect: () => guard(bullmqPool.connect()),
    end: () => pool.end(),
    on: (event: string, listener: (argument: never) => void) => {
      pool.on(event as 'error', listener as (error: Error) => void);
      return view;
    },
    removeAllListeners: (event) => {
      bullmqPool.removeAllListeners(event);
      return view;
    },
  };
  return view;
}
