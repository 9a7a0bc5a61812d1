import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataDirectoryInUseError } from '../../adapters/embedded-postgres/lock-data-directory.ts';
import {
  openRunningPostgres,
  startEmbeddedPostgres,
} from '../../adapters/embedded-postgres/start-embedded-postgres.ts';
import { type Connection, connectPostgres } from '../../adapters/postgres/connection.ts';
import type { ServerConfig } from '../../config/server-config.ts';
import { Secret } from '../../lib/secret.ts';
import type { Logger } from '../../ports/logger.ts';

/** A look at the database that changes nothing in it. */
export interface OpenedDatabase extends Connection {
  readonly url: Secret;
  /** `new`: nothing is kept in it, it was only tried whether one can be started. */
  readonly kind: 'external' | 'embedded' | 'running' | 'new';
}

/** Opens the database as the server would, for a look or a change; that of a running Holdfast beside it. Closed with the stack. */
export async function openDatabase(
  opening: AsyncDisposableStack,
  config: ServerConfig,
  logger: Logger,
  purpose: 'look' | 'change' = 'look',
): Promise<OpenedDatabase> {
  const { url, kind } = await findDatabase(opening, config, logger);
  const connection = opening.adopt(
    connectPostgres({
      url: purpose === 'look' ? readOnly(url) : url,
      logger,
      applicationName: 'holdfast command',
      poolSize: 1,
    }),
    (open) => open.close(),
  );
  return { ...connection, url, kind };
}

async function findDatabase(
  opening: AsyncDisposableStack,
  { databaseUrl, dataDir }: ServerConfig,
  logger: Logger,
): Promise<Pick<OpenedDatabase, 'url' | 'kind'>> {
  if (databaseUrl !== undefined) return { url: databaseUrl, kind: 'external' };
  const exists = await stat(join(dataDir, 'postgres/cluster')).catch(() => undefined);
  if (exists === undefined) return { url: await tryOne(opening, logger), kind: 'new' };
  try {
    const database = await startEmbeddedPostgres({ dataDirectory: dataDir, logger });
    opening.defer(() => database.stop());
    return { url: database.url, kind: 'embedded' };
  } catch (error) {
    if (!(error instanceof DataDirectoryInUseError)) throw error;
    const running = await openRunningPostgres(dataDir);
    opening.defer(async () => running.close());
    return { url: running.url, kind: 'running' };
  }
}

/** Before the first start there is none: whether one could be is tried in a folder that is thrown away. */
async function tryOne(opening: AsyncDisposableStack, logger: Logger): Promise<Secret> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-doctor-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const database = await startEmbeddedPostgres({ dataDirectory: folder, logger });
  opening.defer(() => database.stop());
  return database.url;
}

function readOnly(url: Secret): Secret {
  const parsed = new URL(url.reveal());
  const own = parsed.searchParams.get('options');
  parsed.searchParams.set('options', `${own ? `${own} ` : ''}-c default_transaction_read_only=on`);
  return new Secret(parsed.href);
}
