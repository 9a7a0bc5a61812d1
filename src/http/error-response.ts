import type { FastifyInstance } from 'fastify';
import type { Logger } from '../ports/logger.ts';
import type { HealthChecks } from './health-routes.ts';
import { refuse } from './page-guards.ts';

/** The only place where an error becomes an answer. What is ours to know stays in the log. */
export function registerErrorHandling(app: FastifyInstance, health: HealthChecks, logger: Logger): void {
  app.setErrorHandler(async (error: Error & { statusCode?: number }, request, reply) => {
    const { statusCode } = error;
    const about = { error, method: request.method, path: request.url.split('?')[0] };
    if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
      logger.info(about, 'a request was refused');
      return refuse(request, reply, statusCode, 'That did not work', error.message);
    }
    logger.error(about, 'a request failed');
    const problems = await health.findProblems();
    return problems.length > 0
      ? refuse(request, reply, 503, 'Not available', 'Holdfast cannot reach what it needs right now. Try again soon.')
      : refuse(request, reply, 500, 'That failed', 'Something went wrong on our side; the log has the details.');
  });
  app.setNotFoundHandler(async (request, reply) =>
    refuse(request, reply, 404, 'Not found', 'There is nothing at this address.'),
  );
}
