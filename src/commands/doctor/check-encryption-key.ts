import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerConfig } from '../../config/server-config.ts';
import { createSeal } from '../../lib/seal.ts';
import { Secret } from '../../lib/secret.ts';
import { type Finding, good, note, problem, reasonOf } from './finding.ts';
import type { OpenedDatabase } from './open-database.ts';

/** Whether the key is there, is kept to itself, and opens what the database holds. */
export async function checkEncryptionKey(
  config: ServerConfig,
  database: OpenedDatabase | undefined,
): Promise<readonly Finding[]> {
  const path = join(config.dataDir, 'encryption.key');
  const kept = config.encryptionKey ?? (await readKey(path));
  const sealed = database && (await readKeyCheck(database));
  if (kept === undefined) {
    if (sealed === undefined) return [note('encryption key: made at the first start', `Back up ${path} then.`)];
    const mend = `Restore ${path} from a backup, or set HOLDFAST_ENCRYPTION_KEY.`;
    return [problem('the encryption key is gone: plans and logs on record cannot be read', mend)];
  }
  const findings: Finding[] = [];
  const mode = config.encryptionKey === undefined ? (await stat(path)).mode & 0o077 : 0;
  if (mode !== 0) findings.push(problem(`others may read ${path}`, `chmod 600 ${path}`));
  if (sealed === undefined) return [...findings, good('encryption key')];
  return [...findings, opens([kept, ...config.previousEncryptionKeys], sealed)];
}

function opens(keys: readonly [Secret<Uint8Array>, ...Secret<Uint8Array>[]], sealed: string): Finding {
  try {
    createSeal(keys).open(Buffer.from(sealed, 'base64'), 'key-check');
    return good('encryption key, the one of this database');
  } catch (error) {
    const mend = 'Restore the key, or name it in HOLDFAST_PREVIOUS_ENCRYPTION_KEYS.';
    return problem(`the encryption key is not the one of this database: ${reasonOf(error)}`, mend);
  }
}

async function readKey(path: string): Promise<Secret<Uint8Array> | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : new Secret(new Uint8Array(Buffer.from(text.trim(), 'base64')));
}

async function readKeyCheck({ db, kind }: OpenedDatabase): Promise<string | undefined> {
  if (kind === 'new') return undefined;
  const row = await db
    .selectFrom('settings')
    .select('value')
    .where('key', '=', 'key-check')
    .executeTakeFirst()
    // A database without tables.
    .catch(() => undefined);
  return row?.value;
}
