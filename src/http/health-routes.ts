import type { FastifyInstance } from 'fastify';
import type { PageAccess } from './page-access.ts';

export interface HealthChecks {
  /** What keeps the program from doing its work right now, one sentence each; empty when it is ready. */
  readonly findProblems: () => Promise<readonly string[]>;
}

/** Health needs no token and tells a stranger nothing but yes or no; what is wrong is told to who has the token. */
export function registerHealthRoutes(app: FastifyInstance, health: HealthChecks, access: PageAccess): void {
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (request, reply) => {
    const problems = await health.findProblems();
    const details = access.admit(request) === 'admitted' ? { problems } : {};
    if (problems.length > 0) void reply.code(503);
    return { status: problems.length === 0 ? 'ready' : 'not ready', ...details };
  });
}
