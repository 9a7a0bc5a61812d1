import { ConnectionClosedError, type PgPool } from 'bullmq';
import pg from 'pg';
import type { OutageLog } from './outage-log.ts';

/**
 * What a server says when it is not there for us at the moment (https://www.postgresql.org/docs/18/errcodes-appendix.html): connection
 * exceptions, shutdown, crash and start, too many connections, and a standby that takes no writes in the middle of a failover.
 */
const AWAY = /^(08...|57P0[123]|53300|25006)$/;

/**
 * The pool as BullMQ is to see it. BullMQ knows a lost connection by ECONNREFUSED alone and gives a job's outcome up at every other error; here
 * each way of being unreachable becomes its own `ConnectionClosedError`, at which it waits and tries again.
 */
export function queuePool(pool: pg.Pool, outage: OutageLog): PgPool {
  const guard = async <T>(work: Promise<T>): Promise<T> => {
    try {
      const result = await work;
      outage.recovered();
      return result;
    } catch (error) {
      if (!isAway(error)) throw error;
      outage.failed(error);
      throw Object.assign(new ConnectionClosedError('the queue database cannot be reached'), { cause: error });
    }
  };
  // The types of pg and those that BullMQ declares for it differ in their overloads only.
  const bullmqPool = pool as unknown as PgPool;
  const view: PgPool = {
    query: (text, params) => guard(bullmqPool.query(text, params)),
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

/** Whether the error is about reaching the database rather than about the statement: what is no answer of the server is. */
export function isAway(error: unknown): boolean {
  if (error instanceof ConnectionClosedError) return true;
  if (error instanceof pg.DatabaseError) return AWAY.test(error.code ?? '');
  return error instanceof Error;
}
