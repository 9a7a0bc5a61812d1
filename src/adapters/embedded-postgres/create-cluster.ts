import { randomBytes } from 'node:crypto';
import { lchown, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { nobodyAccount, type ServerAccount } from './server-account.ts';
import type { LaunchCommand, ServerLauncher } from './server-launcher.ts';

/** The role and database of the application. The role owns its database and may create others; it is no superuser. */
export const APPLICATION_NAME = 'holdfast';

const UNFINISHED = 'cluster.new-';
const PASSWORD_FILE = 'holdfast-password';
/** Only the application's role gets in, with its password; the superuser cannot log in at all. */
const ACCESS_RULES = `local all ${APPLICATION_NAME} scram-sha-256\nhost all ${APPLICATION_NAME} 127.0.0.1/32 scram-sha-256\n`;
const INIT_TIMEOUT_MS = 120_000;

/**
 * Makes the cluster under `<home>/cluster` unless it is there. It is made under another name and renamed when complete and written to disk, so
 * a start that was killed half-way leaves nothing but a folder that the next one removes. Call it under the data directory's lock.
 */
export async function ensureCluster(
  launcher: ServerLauncher,
  home: string,
  account: ServerAccount | undefined,
): Promise<void> {
  const cluster = join(home, 'cluster');
  const major = await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (major !== undefined) return checkMajor(major.trim(), launcher.version, cluster);
  await removeUnfinished(home);
  const maker = account && (await nobodyAccount());
  // A name of its own: an initdb that outlived its killed parent may still be writing into the one before.
  const name = `${UNFINISHED}${randomBytes(4).toString('hex')}`;
  const unfinished = join(home, name);
  await mkdir(unfinished, { mode: 0o700 });
  if (maker) await lchown(unfinished, maker.uid, maker.gid);

  const password = randomBytes(24).toString('hex');
  await initialise(launcher, join(launcher.home, name), maker);
  await createRole(launcher, join(launcher.home, name), maker, password);
  // From here on the files are out of reach for other processes of `nobody`, and may be written to.
  if (account) await changeOwner(unfinished, account);
  await writeFile(join(unfinished, 'pg_hba.conf'), ACCESS_RULES, { flush: true });
  await writeFile(join(unfinished, PASSWORD_FILE), password, { mode: 0o600, flush: true });
  await syncFolder(unfinished);
  await rename(unfinished, cluster);
  await syncFolder(home);
}

/** @throws when the file is gone; the password cannot be had from the cluster itself. */
export async function readPassword(home: string): Promise<string> {
  const file = join(home, 'cluster', PASSWORD_FILE);
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new Error(
      `The password of the embedded database cannot be read from ${file}. Put the file back from a backup.`,
      { cause: error },
    );
  }
}

/** What cannot be removed now, because something still writes there, is left to the next first start. */
async function removeUnfinished(home: string): Promise<void> {
  const leftovers = (await readdir(home)).filter((name) => name.startsWith(UNFINISHED));
  const removals = leftovers.map((name) => rm(join(home, name), { recursive: true, force: true, maxRetries: 3 }));
  await Promise.allSettled(removals);
}

function checkMajor(found: string, version: string, cluster: string): void {
  if (found === version.split('.')[0]) return;
  throw new Error(
    `The embedded database in ${cluster} was made by PostgreSQL ${found}; this Holdfast brings PostgreSQL ${version}, which cannot read it. Start the Holdfast that made it, save the database with pg_dump, and load it into a new data directory.`,
  );
}

/** Built-in C.UTF-8 sorts by code point, the same on every machine, whatever locales it has; a private cluster never sees another library's order. */
async function initialise(launcher: ServerLauncher, cluster: string, maker: ServerAccount | undefined): Promise<void> {
  const args = ['--pgdata', cluster, '--username=postgres', '--auth=reject', '--encoding=UTF8', '--no-instructions'];
  const locale = ['--locale-provider=builtin', '--locale=C', '--builtin-locale=C.UTF-8'];
  await runOrExplain('initdb', launcher.command('initdb', [...args, ...locale], maker));
}

/** In single-user mode, before any server runs: so there is no moment at which somebody could log in without the password. */
async function createRole(
  launcher: ServerLauncher,
  cluster: string,
  maker: ServerAccount | undefined,
  password: string,
): Promise<void> {
  const statements = [
    `CREATE ROLE ${APPLICATION_NAME} LOGIN CREATEDB PASSWORD '${password}'`,
    `CREATE DATABASE ${APPLICATION_NAME} OWNER ${APPLICATION_NAME}`,
  ];
  const settings = ['-c', 'exit_on_error=on', '-c', 'log_min_error_statement=panic'];
  const args = ['--single', ...settings, '-D', cluster, 'postgres'];
  await runOrExplain('postgres --single', launcher.command('postgres', args, maker), `${statements.join(';\n')};\n`);
}

async function runOrExplain(name: string, command: LaunchCommand, input = ''): Promise<void> {
  const result = await execa(command.file, command.args, {
    ...command.options,
    extendEnv: false,
    input,
    reject: false,
    timeout: INIT_TIMEOUT_MS,
  });
  if (result.exitCode === 0) return;
  throw new Error(
    `The embedded database cannot be made: ${name} failed: ${String(result.stderr).trim() || result.shortMessage}`,
  );
}

async function changeOwner(folder: string, account: ServerAccount): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    await lchown(join(entry.parentPath, entry.name), account.uid, account.gid);
  }
  await lchown(folder, account.uid, account.gid);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}
