import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { renderLoginPage } from '../pages/pages.ts';
import { localPath } from './local-path.ts';
import type { PageAccess } from './page-access.ts';
import { refuse, tooManyWrong } from './page-guards.ts';
import { formField, queryParameter } from './request-fields.ts';

/** Login by form, and by a link that carries the token: it is taken out of the address at once. */
export function registerLoginRoutes(app: FastifyInstance, access: PageAccess): void {
  app.get('/login', async (request, reply) => {
    const next = localPath(queryParameter(request, 'next'));
    const token = queryParameter(request, 'token');
    if (token !== undefined) return logIn(request, reply, access, { token, next });
    return (await access.admit(request)) === 'admitted'
      ? reply.redirect(next, 303)
      : sendLogin(reply, 200, { next, problem: undefined });
  });
  app.post('/login', async (request, reply) =>
    logIn(request, reply, access, { token: formField(request, 'token'), next: localPath(formField(request, 'next')) }),
  );
  app.post('/logout', async (request, reply) => {
    if (!access.mayChange(request, formField(request, 'csrf'))) return refuseForm(request, reply);
    await access.logOut(request, reply);
    return reply.redirect('/login', 303);
  });
}

/** A form that is not of this visitor's own pages. */
export function refuseForm(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return refuse(request, reply, 403, 'Not from our page', 'This form is out of date. Load its page again and repeat.');
}

function logIn(
  request: FastifyRequest,
  reply: FastifyReply,
  access: PageAccess,
  { token, next }: { readonly token: string; readonly next: string },
): FastifyReply {
  const admission = access.logIn(request, reply, token.trim());
  if (admission === 'admitted') return reply.redirect(next, 303);
  if (admission === 'stranger') return sendLogin(reply, 401, { next, problem: 'That is not the token.' });
  void reply.header('retry-after', admission.waitSeconds);
  return sendLogin(reply, 429, { next, problem: tooManyWrong(admission.waitSeconds) });
}

function sendLogin(reply: FastifyReply, status: number, view: Parameters<typeof renderLoginPage>[0]): FastifyReply {
  return reply.code(status).type('text/html; charset=utf-8').send(renderLoginPage(view));
}
