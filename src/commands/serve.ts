import { pino } from 'pino';
import { startWorker } from '../../workers/main.ts';
import { openInfrastructure } from '../infrastructure.ts';
import { startServer } from '../main.ts';
import { readConfig } from './read-config.ts';
import { untilStopped } from './until-stopped.ts';

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
  const logger = pino({ level: config.logLevel }, pino.destination({ sync: true }));
  const infrastructure = await openInfrastructure(config, logger).catch((error: unknown) => {
    process.stderr.write(`holdfast: it cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
  let publicUrl = config.publicUrl ?? `http://${config.listen.host}:${config.listen.port}`;
  const running = server ? await startServer(infrastructure, () => publicUrl) : undefined;
  publicUrl = config.publicUrl ?? running?.url ?? publicUrl;
  await startWorker({
    ...infrastructure,
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
  await infrastructure.queue.drain(config.drainGraceMs);
  await running?.close();
  await infrastructure.close();
  logger.info({}, 'stopped');
  process.exit(0);
}
