import { startWorker } from '../../workers/main.ts';
import { openInfrastructure } from '../infrastructure.ts';
import { startServer } from '../main.ts';
import { configMasker, createLogger } from './create-logger.ts';
import { readConfig } from './read-config.ts';
import { untilStopped } from './until-stopped.ts';

/** What ended last is shown to people before the program ends, unless the host takes longer, milliseconds. */
const PUBLISH_REST_MS = 10_000;

/** Runs the server with the worker's loops inside, or the loops alone, until it is told to stop; then it drains. */
export async function serve({ server }: { readonly server: boolean }): Promise<void> {
  const config = readConfig('serve');
  if (!server && config.databaseUrl === undefined) {
    process.stderr.write(
      'holdfast: a worker alone needs the database of the server: set HOLDFAST_DATABASE_URL on both.\n',
    );
    process.exit(1);
  }
  const stopped = untilStopped();
  const masker = configMasker(config);
  const logger = createLogger(config.logLevel, masker);
  const cannotStart = (error: unknown): never => {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`holdfast: it cannot start: ${masker.mask(reason)}\n`);
    process.exit(1);
  };
  const infrastructure = await openInfrastructure(config, logger).catch(cannotStart);
  let publicUrl = config.publicUrl ?? `http://${config.listen.host}:${config.listen.port}`;
  const starting = server ? startServer(infrastructure, () => publicUrl) : undefined;
  const running = await starting?.catch(async (error: unknown) => {
    await infrastructure.close();
    return cannotStart(error);
  });
  publicUrl = config.publicUrl ?? running?.url ?? publicUrl;
  const noMore = new AbortController();
  const atOnce = new AbortController();
  const worker = await startWorker({
    ...infrastructure,
    stop: { noMore: noMore.signal, atOnce: atOnce.signal },
    publicUrl,
    directories: {
      programs: (process.env['PATH'] ?? '').split(':'),
      providerMirror: infrastructure.directories.providers,
    },
  });
  if (infrastructure.secrets.webTokenIsNew && running !== undefined) {
    process.stderr.write(
      `holdfast: the token for the pages, shown this once: ${infrastructure.secrets.webToken.reveal()}\n`,
    );
  }
  logger.info(
    { url: running?.url, sandbox: config.sandbox.kind, worker: infrastructure.workerId },
    'holdfast is ready',
  );
  const reason = await stopped;
  logger.info({ reason }, 'stopping: no new runs; running ones may finish');
  noMore.abort();
  const grace = setTimeout(() => atOnce.abort(), config.drainGraceMs);
  await infrastructure.queue.drain(config.drainGraceMs);
  clearTimeout(grace);
  await worker.publishRest(PUBLISH_REST_MS);
  await running?.close();
  await infrastructure.close();
  logger.info({}, 'stopped');
  process.exit(0);
}
