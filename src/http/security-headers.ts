import type { FastifyInstance } from 'fastify';

/**
 * On every answer. The pages have no inline script or style and load nothing from elsewhere, so the policy can refuse all
 * of that: text of a pull request that got past the escaping would still run nothing. `no-referrer`, because the link that
 * logs in has the token in it. `no-store`, because plans and logs must not lie in caches.
 */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

export function registerSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', async (_request, reply) => void reply.headers(HEADERS));
}
