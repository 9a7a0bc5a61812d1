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
    // Whether a session was ended cannot be asked while the database is away; a program's token can be told.
    const admission = await access.admit(request).catch(() => 'stranger');
    const details = admission === 'admitted' ? { problems } : {};
    if (problems.length > 0) void reply.code(503);
    return { status: problems.length === 0 ? 'ready' : 'not ready', ...details };
  });
}
