import pg from 'pg';

/**
 * What a PostgreSQL says when it is not there for us at the moment: connection exceptions, resources (connections, memory, disk) are short,
 * shutdown, crash and start, and a standby that takes no writes in the middle of a failover.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const AWAY = /^(?:08|53|57P|25006)/;
/** What pg, its pool and ioredis say of a connection that is lost or cannot be had; they give no code. */
const LOST =
  /^(?:Connection (?:terminated|is closed)|Client (?:has encountered a connection error|was closed)|timeout e|Command timed out|Query read timeout)/;
/** The operating system's, for errors that name no system call. */
const NETWORK = /^(?:ECONN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE)/;

/** Whether the error tells of a database or queue that cannot be reached, rather than of a refused operation. */
export function isUnreachable(error: unknown): error is Error {
  if (error instanceof pg.DatabaseError) return AWAY.test(error.code ?? '');
  if (!(error instanceof Error)) return false;
  // Node's answer for a name of several addresses none of which could be connected to: https://nodejs.org/api/net.html#netconnect
  if (error instanceof AggregateError && error.errors.some(isUnreachable)) return true;
  if ('code' in error && NETWORK.test(String(error.code))) return true;
  // ECONNREFUSED, ECONNRESET, EPIPE, ENOENT of a socket and the like.
  return 'syscall' in error || LOST.test(error.message);
}
