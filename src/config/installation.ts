import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret } from '../lib/secret.ts';
import type { ServerConfig } from './server-config.ts';

/** Where the parts of one installation keep their files. */
export interface DataDirectories {
  readonly root: string;
  readonly mirrors: string;
  readonly work: string;
  readonly providers: string;
  readonly slots: string;
}

/**
 * Makes the data directory. It can be passed through but not listed, so that a sandbox's own user reaches the one folder it is given
 * under `work` and the provider mirror; everything else is for our user alone.
 */
export async function prepareDataDirectory({ dataDir }: Pick<ServerConfig, 'dataDir'>): Promise<DataDirectories> {
  await mkdir(dataDir, { recursive: true });
  await chmod(dataDir, 0o711);
  // Sandboxes are shown nothing that lies behind a link.
  const root = await realpath(dataDir);
  const directories = {
    root,
    mirrors: join(root, 'mirrors'),
    work: join(root, 'work'),
    providers: join(root, 'providers'),
    slots: join(root, 'slots'),
  };
  await mkdir(directories.mirrors, { recursive: true, mode: 0o700 });
  for (const open of [directories.work, directories.slots]) {
    await mkdir(open, { recursive: true });
    await chmod(open, 0o711);
  }
  await mkdir(directories.providers, { recursive: true, mode: 0o755 });
  return directories;
}

export interface InstallationSecrets {
  /** The first seals; all open. */
  readonly encryptionKeys: readonly [Secret<Uint8Array>, ...Secret<Uint8Array>[]];
  readonly webToken: Secret;
  /** Made just now, so that it is told once. */
  readonly webTokenIsNew: boolean;
}

const KEY_BYTES = 32;

/** The secrets of this installation: from the config, else made at the first start and kept in the data directory. */
export async function readInstallationSecrets(config: ServerConfig): Promise<InstallationSecrets> {
  const key = config.encryptionKey ?? (await ensureFile(config.dataDir, 'encryption.key')).key;
  const token = config.webToken === undefined ? await ensureFile(config.dataDir, 'web-token') : undefined;
  return {
    encryptionKeys: [key, ...config.previousEncryptionKeys],
    webToken:
      config.webToken ?? new Secret(token === undefined ? '' : Buffer.from(token.key.reveal()).toString('base64url')),
    webTokenIsNew: token?.isNew ?? false,
  };
}

async function ensureFile(
  dataDir: string,
  name: string,
): Promise<{ readonly key: Secret<Uint8Array>; readonly isNew: boolean }> {
  const path = join(dataDir, name);
  const known = await readFile(path, 'utf8').catch(() => undefined);
  if (known !== undefined) return { key: decode(path, known), isNew: false };
  const text = randomBytes(KEY_BYTES).toString('base64');
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, `${text}\n`, { mode: 0o600, flush: true });
  // Two first starts at once must end with one key: a link is made only where there is none.
  const isNew = await link(draft, path).then(
    () => true,
    () => false,
  );
  await rm(draft);
  return { key: decode(path, isNew ? text : await readFile(path, 'utf8')), isNew };
}

function decode(path: string, text: string): Secret<Uint8Array> {
  const bytes = Buffer.from(text.trim(), 'base64');
  if (bytes.length !== KEY_BYTES)
    throw new Error(`${path} is damaged: it must hold ${KEY_BYTES} bytes in base64. Restore it from a backup.`);
  return new Secret(new Uint8Array(bytes));
}
