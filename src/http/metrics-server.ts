import Fastify, { type FastifyInstance } from 'fastify';

/** A listener of its own for a scraper that has no token; the operator chose its address. */
export async function createMetricsServer(
  metrics: () => Promise<string>,
  listen: { readonly host: string; readonly port: number },
): Promise<FastifyInstance> {
  const app = Fastify({ logger: false });
  app.get('/metrics', async (_request, reply) => reply.type('text/plain; version=0.0.4').send(await metrics()));
  await app.listen(listen);
  return app;
}
