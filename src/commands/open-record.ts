import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDriftOverview } from '../adapters/postgres/drift/drift-overview.ts';
import { createDriftStore } from '../adapters/postgres/drift/drift-store.ts';
import { inspectMigrations } from '../adapters/postgres/migrate.ts';
import type { ServerConfig } from '../config/server-config.ts';
import { addressTo } from '../core/drift/receivers.ts';
import { createSeal, type Seal } from '../lib/seal.ts';
import { Secret } from '../lib/secret.ts';
import type { DriftOverview } from '../ports/drift-overview.ts';
import type { DriftStore } from '../ports/drift-store.ts';
import type { Logger } from '../ports/logger.ts';
import { openDatabase } from './doctor/open-database.ts';

/** What is on record, for a command that is done in a moment; also of a Holdfast that is running. */
export interface OpenedRecord {
  readonly drift: DriftStore;
  readonly overview: DriftOverview;
  /** undefined: there is no key here. */
  readonly seal: Seal | undefined;
}

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

/** Opens the record as the server does, and changes nothing of its form. Throws in words for people when there is none that fits. */
export async function openRecord(
  opening: AsyncDisposableStack,
  config: ServerConfig,
  purpose: 'look' | 'change',
): Promise<OpenedRecord> {
  const { db, kind } = await openDatabase(opening, config, silent, purpose);
  const { made, pending, unknown } = await inspectMigrations(db);
  if (kind === 'new' || !made) {
    throw new Error('Nothing is on record yet: no Holdfast was ever started with this config.');
  }
  if (unknown.length > 0) throw new Error('The database was made by a newer Holdfast. Use that one.');
  if (pending.length > 0) {
    throw new Error('The database is of an older Holdfast. Start this one once, which brings it up to date.');
  }
  return {
    drift: createDriftStore(db, addressTo(config.notifications)),
    overview: createDriftOverview(db),
    seal: await findSeal(config),
  };
}

/** Of the key that is there; one that is not is made by a server alone. */
async function findSeal({ encryptionKey, previousEncryptionKeys, dataDir }: ServerConfig): Promise<Seal | undefined> {
  const kept = await readFile(join(dataDir, 'encryption.key'), 'utf8').catch(() => undefined);
  const key = encryptionKey ?? (kept && new Secret(new Uint8Array(Buffer.from(kept.trim(), 'base64'))));
  return key ? createSeal([key, ...previousEncryptionKeys]) : undefined;
}
