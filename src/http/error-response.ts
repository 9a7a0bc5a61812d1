import type { FastifyInstance } from 'fastify';
import type { Logger } from '../ports/logger.ts';

/** The only place where an error becomes an answer. What is ours to know stays in the log. */
export function registerErrorHandling(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler(async (error: Error & { statusCode?: number }, request, reply) => {
    const status =
      error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500 ? error.statusCode : 500;
    const log = status === 500 ? logger.error.bind(logger) : logger.info.bind(logger);
    log({ error, method: request.method, path: request.url.split('?')[0] }, 'a request failed');
    const message = status === 500 ? 'Something went wrong on our side; the log has the details.' : error.message;
    return reply.code(status).send({ message });
  });
  app.setNotFoundHandler(async (_request, reply) =>
    reply.code(404).send({ message: 'There is nothing at this address.' }),
  );
}
