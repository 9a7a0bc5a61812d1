import type { FastifyReply, FastifyRequest } from 'fastify';
import { renderErrorPage } from '../pages/pages.ts';
import { bearer, type PageAccess } from './page-access.ts';

type Guard = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>;

/**
 * Refuses browsers that came by a name which is not ours: a page of an attacker whose DNS name was made to point here would
 * else be of our own origin. A program that brings the token is no browser that was led here.
 */
export function checkHost(allowedHosts: () => readonly string[]): Guard {
  return async (request, reply) => {
    const host = (request.headers.host ?? '').toLowerCase();
    if (bearer(request) !== undefined || allowedHosts().some((allowed) => allowed.toLowerCase() === host))
      return undefined;
    return refuse(
      request,
      reply,
      421,
      'Not by this name',
      'These pages are not served under the host name that was asked for. Set HOLDFAST_PUBLIC_URL to the address in use, and let a proxy pass the Host header on.',
    );
  };
}

/** Lets in who has the token; sends a browser to the login and back. */
export function requireAccess(access: PageAccess): Guard {
  return async (request, reply) => {
    const admission = await access.admit(request);
    if (admission === 'admitted') return undefined;
    if (admission !== 'stranger') {
      void reply.header('retry-after', admission.waitSeconds);
      return refuse(request, reply, 429, 'Too many wrong tokens', tooManyWrong(admission.waitSeconds));
    }
    if (wantsPage(request) && request.method === 'GET')
      return reply.redirect(`/login?next=${encodeURIComponent(request.url)}`, 303);
    void reply.header('www-authenticate', 'Bearer realm="holdfast"');
    return refuse(
      request,
      reply,
      401,
      'Log in first',
      'A token is needed: log in, or send it as Authorization: Bearer.',
    );
  };
}

export function tooManyWrong(waitSeconds: number): string {
  return `Too many wrong tokens came from your address. Try again in ${waitSeconds} s.`;
}

/** A refusal in the form that the asker can read. */
export function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  title: string,
  message: string,
): FastifyReply {
  void reply.code(status);
  if (!wantsPage(request)) return reply.send({ message });
  return reply.type('text/html; charset=utf-8').send(renderErrorPage({ status, title, message }));
}

export function wantsPage(request: FastifyRequest): boolean {
  return request.headers.accept?.includes('text/html') === true;
}
