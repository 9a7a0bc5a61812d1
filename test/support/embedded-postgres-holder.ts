/**
 * A Holdfast of the database alone, in a process of its own: starts it, says `ready <server pid> <url>`, and stops it at SIGTERM.
 * Arguments: the data directory, and `exit` to end without stopping anything, as an uncaught error would.
 */
import { startEmbeddedPostgres } from '../../src/adapters/embedded-postgres/start-embedded-postgres.ts';
import { recordingLogger } from './recording-logger.ts';

const [dataDirectory = '', ending = ''] = process.argv.slice(2);
const logger = recordingLogger();
try {
  const postgres = await startEmbeddedPostgres({ dataDirectory, logger });
  process.stdout.write(`ready ${postgres.pid()} ${postgres.url.reveal()}\n`);
  for (const entry of logger.entries) process.stdout.write(`${entry.level} ${entry.message}\n`);
  if (ending === 'exit') process.exit(3);
  const alive = setInterval(() => undefined, 60_000);
  process.once('SIGTERM', async () => {
    clearInterval(alive);
    await postgres.stop();
  });
} catch (error) {
  process.stderr.write(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
