/**
 * A worker in a process of its own, to be killed: serves `event` and `run` with handlers that say that they were started and never end.
 * Arguments: kind of backend, URL, lock time in milliseconds.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createJobQueue } from '../../src/adapters/bullmq/create-job-queue.ts';
import { Secret } from '../../src/lib/secret.ts';
import { recordingLogger } from './recording-logger.ts';

const [kind = '', url = '', lockMs = ''] = process.argv.slice(2);
const queue = await createJobQueue({
  backend: { kind: kind === 'redis' ? 'redis' : 'postgres', url: new Secret(url) },
  logger: recordingLogger(),
  lockMs: Number(lockMs),
});
const hang = async (job: { name: string }) => {
  process.stdout.write(`started ${job.name}\n`);
  await delay(600_000);
};
await queue.serve({ event: hang, run: hang }, {});
