import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Hub } from '../hub.ts';
import type { Account, Issue } from '../state/model.ts';
import { atLeast, roleOf } from '../state/permissions.ts';

export interface Form {
  readonly as?: string;
  readonly body?: string;
  readonly event?: string;
  readonly act?: string;
  readonly run?: string;
  readonly identifier?: string;
}

/** Told to whoever sent the form, on the page they sent it from. */
export class PageRefusal extends Error {}

/** The issue, or the issue that a pull request is, whose page was asked for. */
export function findIssue(hub: Hub, request: FastifyRequest): Issue | undefined {
  const { owner = '', repo = '', number = '' } = request.params as Record<string, string | undefined>;
  return hub.world.findRepository(owner, repo)?.issues.get(Number(number));
}

export function speakerOf(hub: Hub, { repository }: Issue, form: Form): Account {
  const account = hub.world.findAccount(form.as ?? '');
  if (account === undefined || !atLeast(roleOf(repository, account), 'read'))
    throw new PageRefusal('Choose who is speaking.');
  return account;
}

export function assertRole({ repository }: Issue, who: Account, role: 'triage' | 'write' | 'admin'): void {
  if (!atLeast(roleOf(repository, who), role))
    throw new PageRefusal(`${who.login} may not do this: ${role} permission is needed.`);
}

/** What somebody wrote into the form; in a locked conversation only those who may write are heard. */
export function wordsOf(issue: Issue, who: Account, form: Form): string {
  const body = (form.body ?? '').replaceAll('\r\n', '\n');
  if (body.trim() === '') throw new PageRefusal('Write something first.');
  if (issue.locked !== undefined) assertRole(issue, who, 'write');
  return body;
}

/** A form on somebody else's page must not speak for the people here. */
function assertOwnPage(request: FastifyRequest): void {
  const { origin, host } = request.headers;
  if (origin !== undefined && origin !== `http://${host}`)
    throw new PageRefusal('This form was sent from another page.');
}

/** Does what the form says and goes back to the page, with the reason when it was refused; or to where the action says. */
export function mountAction(
  app: FastifyInstance,
  path: string,
  action: (request: FastifyRequest, form: Form) => Promise<string | void> | string | void,
): void {
  app.post(path, async (request, reply) => {
    const back = request.url.replace(/\/\w+$/, '');
    try {
      assertOwnPage(request);
      const to = await action(request, (request.body ?? {}) as Form);
      return await reply.redirect(to ?? back, 303);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      return await reply.redirect(`${back}?problem=${encodeURIComponent(problem)}`, 303);
    }
  });
}

export async function sendHtml(reply: FastifyReply, html: string): Promise<FastifyReply> {
  return await reply.header('cache-control', 'no-store').type('text/html; charset=utf-8').send(html);
}
