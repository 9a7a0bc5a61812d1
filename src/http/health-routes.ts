import type { FastifyInstance } from 'fastify';

export interface HealthChecks {
  /** What keeps the program from doing its work right now, one sentence each; empty when it is ready. */
  readonly findProblems: () => Promise<readonly string[]>;
}

/** Health needs no token and tells a stranger nothing but yes or no. */
export function registerHealthRoutes(app: FastifyInstance, health: HealthChecks): void {
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const problems = await health.findProblems();
    return problems.length === 0 ? { status: 'ready' } : reply.code(503).send({ status: 'not ready' });
  });
}
