import { spawn } from 'node:child_process';
import { open, rename, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { LaunchCommand } from './server-launcher.ts';

/** Recovery after a crash replays at most `max_wal_size`; a server that is alive and recovering is waited for as long as this. */
const START_PATIENCE_MS = 5 * 60_000;
/** The children of a server that was killed notice it within moments; until then a new one refuses the memory they share. */
const LEFTOVER_PATIENCE_MS = 10_000;
const LEFTOVER_MESSAGE = 'pre-existing shared memory block';
const LARGEST_LOG_BYTES = 4_000_000;

export interface ServerLaunch {
  readonly command: LaunchCommand;
  readonly logFile: string;
  readonly url: string;
}

/** Starts the server and waits until it answers. @throws with the server's own words when it ends before. */
export async function launchServer(launch: ServerLaunch): Promise<void> {
  const leftoverDeadline = Date.now() + LEFTOVER_PATIENCE_MS;
  for (;;) {
    const words = await launchOnce(launch);
    if (words === undefined) return;
    if (!words.includes(LEFTOVER_MESSAGE) || Date.now() > leftoverDeadline) {
      throw new Error(`The embedded database does not start. Its log (${launch.logFile}) says:\n${words}`);
    }
    await delay(200);
  }
}

/** The name (`cluster_name`) of the server that answers, or undefined when none does (yet). */
export async function askServerName(url: string): Promise<string | undefined> {
  const limits = { connectionTimeoutMillis: 2_000, query_timeout: 2_000 };
  const client = new pg.Client({ connectionString: url, application_name: 'holdfast-start', ...limits });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const result = await client.query<{ name: string }>(`select current_setting('cluster_name') as name`);
    return result.rows[0]?.name;
  } catch {
    return undefined;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Resolves to undefined when the server answers, to its last words when it ended or never answered. */
async function launchOnce({ command, logFile, url }: ServerLaunch): Promise<string | undefined> {
  await rotate(logFile);
  const log = await open(logFile, 'a+', 0o600);
  try {
    const before = (await log.stat()).size;
    const child = startDetached(command, log.fd);
    const deadline = Date.now() + START_PATIENCE_MS;
    while ((await askServerName(url)) === undefined) {
      if (child.hasEnded() || Date.now() > deadline) return await readFrom(log, before);
      await delay(20);
    }
    return undefined;
  } finally {
    await log.close();
  }
}

/**
 * In a session of its own, so that Ctrl-C reaches us alone and the database lasts until we are done; with a file for a log, for a pipe would
 * end with us. With node:child_process, because the child is to outlive us, and execa hands no descriptor above 9 to a child.
 */
function startDetached(command: LaunchCommand, log: number): { hasEnded: () => boolean } {
  let ended = false;
  const child = spawn(command.file, command.args, { ...command.options, detached: true, stdio: ['ignore', log, log] });
  const end = () => {
    ended = true;
  };
  child.once('exit', end);
  child.once('error', end);
  child.unref();
  return { hasEnded: () => ended };
}

async function rotate(logFile: string): Promise<void> {
  const size = (await stat(logFile).catch(() => undefined))?.size ?? 0;
  if (size > LARGEST_LOG_BYTES) await rename(logFile, `${logFile}.1`);
}

async function readFrom(log: Awaited<ReturnType<typeof open>>, offset: number): Promise<string> {
  const { buffer, bytesRead } = await log.read(Buffer.alloc(8_192), 0, 8_192, offset);
  return buffer.subarray(0, bytesRead).toString('utf8').trim() || 'nothing';
}
