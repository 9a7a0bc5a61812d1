import { closeSync, constants, openSync } from 'node:fs';
import { chmod, lchown, mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../ports/logger.ts';
import { Secret } from '../../lib/secret.ts';
import { APPLICATION_NAME, ensureCluster, readPassword } from './create-cluster.ts';
import { askServerName, launchServer } from './launch-server.ts';
import { type DataDirectoryLock, lockDataDirectory } from './lock-data-directory.ts';
import { findPostgresBinaries } from './postgres-binaries.ts';
import { type ServerAccount, serverAccount } from './server-account.ts';
import { serverLauncher } from './server-launcher.ts';
import { endServerNow, findServer, stopServer } from './server-process.ts';
import { serverArguments } from './server-settings.ts';

export interface EmbeddedPostgres {
  /** For `pg` and everything on top of it, in this process; another process of the same user can use it while this one lives. */
  readonly url: Secret;
  /** Of the server process; it changes when the server had to be started anew. */
  pid(): number | undefined;
  /** Fast shutdown: open statements are rolled back. Waits until the server is gone, then gives the data directory up. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  readonly dataDirectory: string;
  readonly logger: Logger;
}

const PORT = 5432;
/** A bind or connect address holds 107 bytes and an ending zero (unix(7)). */
const LONGEST_SOCKET_PATH = 107;
/** An orphan that is asked to prove itself answers at once or is replaced. */
const ADOPT_PATIENCE_MS = 5_000;
const WATCH_MS = 1_000;
const LONGEST_RESTART_PAUSE_MS = 30_000;

/**
 * Starts the database that a Holdfast without a database of its own uses: a private PostgreSQL under `<dataDirectory>/postgres`, reached only
 * through a socket in a closed folder and with a random password. A server that outlived its killed parent is taken over when it is this
 * program's kind and answers, otherwise it is stopped and started anew. One that dies is started again. Linux only (it reads /proc).
 *
 * @throws DataDirectoryInUseError when another Holdfast has the data directory.
 */
export async function startEmbeddedPostgres({
  dataDirectory,
  logger,
}: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const lock = await lockDataDirectory(dataDirectory);
  try {
    const server = await prepare(await realpath(dataDirectory), logger);
    await server.takeOverOrStart();
    return supervise(server, lock, logger);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** The database of a Holdfast that runs on this data directory, for a look from another process of the same user. */
export async function openRunningPostgres(dataDirectory: string): Promise<{ readonly url: Secret; close(): void }> {
  const home = join(await realpath(dataDirectory), 'postgres');
  const password = await readPassword(home);
  const socket = reachableSocketFolder(join(home, 'run'));
  return { url: new Secret(connectionUrl(socket.path, password)), close: socket.close };
}

interface PreparedServer {
  readonly cluster: string;
  readonly url: string;
  takeOverOrStart(): Promise<void>;
  close(): void;
}

async function prepare(dataDirectory: string, logger: Logger): Promise<PreparedServer> {
  const home = join(dataDirectory, 'postgres');
  const cluster = join(home, 'cluster');
  const account = await serverAccount(cluster);
  await mkdir(home, { recursive: true });
  // The server passes through the folder without being able to list or change it.
  await chmod(home, account ? 0o711 : 0o700);
  const launcher = await serverLauncher(await findPostgresBinaries(), home, account);
  await ensureCluster(launcher, home, account);
  await makeSocketFolder(join(home, 'run'), account);
  const socket = reachableSocketFolder(join(home, 'run'));
  const url = connectionUrl(socket.path, await readPassword(home));
  const { args, name } = serverArguments(launcher.version, join(launcher.home, 'cluster'), {
    listen_addresses: '',
    // Relative to the cluster, where the server works: so the length of the real path does not matter to it.
    unix_socket_directories: '../run',
    port: String(PORT),
  });
  return {
    cluster,
    url,
    close: socket.close,
    takeOverOrStart: async () => {
      if (await takeOver(cluster, url, name))
        return logger.warn({ dataDirectory }, 'took over the embedded database of a Holdfast that was killed');
      await stopServer(cluster);
      await launchServer({
        command: launcher.command('postgres', args, account),
        logFile: join(home, 'server.log'),
        url,
      });
    },
  };
}

async function makeSocketFolder(folder: string, account: ServerAccount | undefined): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (account) await lchown(folder, account.uid, account.gid);
  await chmod(folder, 0o700);
}

/** A socket path may be too long to be an address; the folder is then held open and named by its descriptor, which is always short. */
function reachableSocketFolder(folder: string): { path: string; close: () => void } {
  if (Buffer.byteLength(join(folder, `.s.PGSQL.${PORT}`)) <= LONGEST_SOCKET_PATH)
    return { path: folder, close: () => undefined };
  const descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: `/proc/${process.pid}/fd/${descriptor}`, close: () => closeSync(descriptor) };
}

function connectionUrl(socketFolder: string, password: string): string {
  return `postgresql://${APPLICATION_NAME}:${password}@localhost/${APPLICATION_NAME}?host=${encodeURIComponent(socketFolder)}&port=${PORT}`;
}

async function takeOver(cluster: string, url: string, name: string): Promise<boolean> {
  const deadline = Date.now() + ADOPT_PATIENCE_MS;
  while (Date.now() < deadline) {
    const server = findServer(cluster);
    if (!server || server.status === 'stopping') return false;
    const answer = await askServerName(url);
    if (answer !== undefined) return answer === name;
    await delay(50);
  }
  return false;
}

/** Watches the server, starts it again when it died, and ends it with this process however that ends, short of SIGKILL. */
function supervise(server: PreparedServer, lock: DataDirectoryLock, logger: Logger): EmbeddedPostgres {
  const stopping = new AbortController();
  const watching = watch(server, logger, stopping.signal);
  const endWithProcess = endAtExit(server);
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    stopping.abort();
    await watching;
    await stopServer(server.cluster);
    endWithProcess.forget();
    server.close();
    lock.release();
  };
  return {
    url: new Secret(server.url),
    pid: () => findServer(server.cluster)?.pid,
    stop: () => (stopped ??= stop()),
  };
}

async function watch(server: PreparedServer, logger: Logger, signal: AbortSignal): Promise<void> {
  let pause = WATCH_MS;
  while (await pauseUnlessAborted(pause, signal)) {
    if (findServer(server.cluster)) {
      pause = WATCH_MS;
      continue;
    }
    logger.error({ cluster: server.cluster }, 'the embedded database has died; it is started again');
    try {
      await server.takeOverOrStart();
      logger.info({ cluster: server.cluster }, 'the embedded database is back');
    } catch (error) {
      logger.error({ err: error }, 'the embedded database cannot be started again; trying on');
      pause = Math.min(pause * 2, LONGEST_RESTART_PAUSE_MS);
    }
  }
}

/** Resolves to false, at once, when aborted. Keeps no process alive. */
function pauseUnlessAborted(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  return delay(milliseconds, true, { signal, ref: false }).catch(() => false);
}

/** An exit handler cannot wait, so it only asks for the shutdown; should the server still be busy with it, the next start waits for it. */
function endAtExit(server: PreparedServer): { forget: () => void } {
  const end = () => endServerNow(server.cluster);
  process.once('exit', end);
  return { forget: () => process.off('exit', end) };
}
