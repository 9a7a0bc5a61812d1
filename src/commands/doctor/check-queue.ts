import { createJobQueue } from '../../adapters/bullmq/create-job-queue.ts';
import type { ServerConfig } from '../../config/server-config.ts';
import type { Logger } from '../../ports/logger.ts';
import { type Finding, good, problem, reasonOf } from './finding.ts';

/** Redis is asked; a queue in PostgreSQL works when the database does. */
export async function checkQueue({ redisUrl }: ServerConfig): Promise<readonly Finding[]> {
  if (redisUrl === undefined) return [good('queue: in PostgreSQL')];
  const warnings: string[] = [];
  const ignore = (): void => undefined;
  const listening: Logger = {
    debug: ignore,
    info: ignore,
    warn: (_fields, message) => void warnings.push(message),
    error: ignore,
    child: () => listening,
  };
  try {
    const queue = await createJobQueue({ backend: { kind: 'redis', url: redisUrl }, logger: listening });
    try {
      await queue.depth();
    } finally {
      await queue.close();
    }
    return [good('queue: in Redis'), ...warnings.map((text): Finding => ({ level: 'note', text }))];
  } catch (error) {
    return [problem(`the queue cannot be used: ${reasonOf(error)}`, 'Start Redis, or correct HOLDFAST_REDIS_URL.')];
  }
}
