import type { FastifyInstance } from 'fastify';
import type { HttpOptions } from './server.ts';
import type { Seal } from '../lib/seal.ts';
import type { PullRequestStore } from '../ports/pull-request-store.ts';
import type { RunStore } from '../ports/run-store.ts';

export interface PageSources {
  readonly runs: RunStore;
  readonly pulls: PullRequestStore;
  readonly seal: Seal;
  readonly publicUrl: () => string;
}

export function registerPageRoutes(app: FastifyInstance, { metrics, metricsNeedToken }: HttpOptions): void {
  if (metricsNeedToken) app.get('/metrics', async (_request, reply) => reply.type('text/plain').send(await metrics()));
}
