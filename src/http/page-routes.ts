import type { FastifyInstance } from 'fastify';
import { registerLockRoutes } from './lock-routes.ts';
import { registerLoginRoutes } from './login-routes.ts';
import { registerNotificationRoutes } from './notification-routes.ts';
import type { PageAccess } from './page-access.ts';
import { checkHost, requireAccess } from './page-guards.ts';
import type { PageSources } from './page-sources.ts';
import { registerProjectRoutes } from './project-routes.ts';
import { registerFormBody } from './request-fields.ts';
import { registerRunRoutes } from './run-routes.ts';
import { registerStaticRoutes } from './static-routes.ts';

export interface PageRouteOptions {
  readonly pages: PageSources;
  readonly access: PageAccess;
  readonly allowedHosts: () => readonly string[];
  readonly metrics: () => Promise<string>;
  readonly metricsNeedToken: boolean;
}

/** What people look at. Login and looks are open to who comes by the right name, everything else to who has the token. */
export async function registerPageRoutes(app: FastifyInstance, options: PageRouteOptions): Promise<void> {
  const { pages, access, metrics } = options;
  app.addHook('onRequest', checkHost(options.allowedHosts));
  registerFormBody(app);
  registerStaticRoutes(app);
  registerLoginRoutes(app, access);
  await app.register(async (inner) => {
    inner.addHook('onRequest', requireAccess(access));
    const frame = (request: Parameters<PageAccess['csrfToken']>[0]) => ({
      csrfToken: access.csrfToken(request),
      sandbox: pages.config.sandbox.kind,
    });
    inner.get('/', async (_request, reply) => reply.redirect('/runs', 303));
    registerRunRoutes(inner, pages, frame);
    registerProjectRoutes(inner, pages, access, frame);
    registerNotificationRoutes(inner, pages, frame);
    registerLockRoutes(inner, pages, access, frame);
    if (options.metricsNeedToken)
      inner.get('/metrics', async (_request, reply) =>
        reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics()),
      );
  });
}
