import { createHash } from 'node:crypto';

/**
 * Small at rest, durable always. Few processes: no I/O workers, no parallel workers, no replication. The log never carries a row's contents or
 * a statement with its values: what was refused is told to the client, which knows what to mask.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '32MB',
  work_mem: '4MB',
  maintenance_work_mem: '32MB',
  max_connections: '60',
  jit: 'off',
  io_method: 'sync',
  max_worker_processes: '1',
  max_parallel_workers: '0',
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  max_logical_replication_workers: '0',
  autovacuum_max_workers: '1',
  // Not `minimal`: with it, a sequence that is made and used in one transaction counts on without a trace in the log, and gives the same
  // numbers out again after a crash.
  wal_level: 'replica',
  max_wal_senders: '0',
  min_wal_size: '32MB',
  max_wal_size: '256MB',
  huge_pages: 'off',
  // A client that was killed in the middle of a statement takes its statement and its locks with it.
  client_connection_check_interval: '2s',
  unix_socket_permissions: '0700',
  password_encryption: 'scram-sha-256',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
  log_checkpoints: 'off',
};

/**
 * The server's argv. Its name (`cluster_name`) holds a digest of everything that a restart would change, so that a server left behind by an
 * older program is told from one that can be taken over as it is.
 */
export function serverArguments(
  version: string,
  cluster: string,
  extra: Readonly<Record<string, string>>,
): { args: string[]; name: string } {
  const settings = { ...SETTINGS, ...extra };
  const digest = createHash('sha256')
    .update(JSON.stringify([version, cluster, settings]))
    .digest('hex')
    .slice(0, 12);
  const name = `holdfast_${digest}`;
  const options = Object.entries({ ...settings, cluster_name: name }).flatMap(([key, value]) => [
    '-c',
    `${key}=${value}`,
  ]);
  return { args: ['-D', cluster, ...options], name };
}
