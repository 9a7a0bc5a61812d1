import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { decideCommand, type RecordedCommand } from '../core/drift/decide-command.ts';
import { readEnd } from '../core/drift/drift-command.ts';
import { NO_DECISION } from '../core/drift/drift-project.ts';
import { type ProjectKey, projectPagePath } from '../core/project.ts';
import type { Account } from '../core/pull-request.ts';
import { driftContext } from '../core/sealed-contexts.ts';
import { wake } from '../jobs/wake.ts';
import { renderProjectPage, renderProjectsPage } from '../pages/project-pages.ts';
import type { FrameView, NoticeView } from '../pages/view.ts';
import { refuseForm } from './login-routes.ts';
import type { PageAccess } from './page-access.ts';
import { refuse } from './page-guards.ts';
import type { PageSources } from './page-sources.ts';
import { presentProjectPage } from './present-project-page.ts';
import { presentProjects, readProjectsQuery } from './present-projects.ts';
import { formField, pathParameter, queryParameter } from './request-fields.ts';

/** Who acts: people are known here by the token alone. Not a login, so that nobody is mentioned by it. */
const ACTOR: Account = { id: 'pages', login: 'somebody on the pages' };

const ACTIONS = ['run', 'suspend', 'resume'] as const;
type Action = (typeof ACTIONS)[number];
type PageCommand = Extract<RecordedCommand, { readonly name: Action }>;
type Outcome = Action | `${Action}-refused` | 'reason';

/** The address says which, never the words: anybody can write an address. */
const NOTICES: Readonly<Record<Outcome, NoticeView>> = {
  run: { good: true, text: 'It is checked as soon as a worker is free and nothing else works on it.' },
  suspend: { good: true, text: 'Its checks are suspended.' },
  resume: { good: true, text: 'It is checked again.' },
  'run-refused': {
    good: false,
    text: 'Nothing was done: its checks are suspended or switched off, or the branch does not have it any more.',
  },
  'suspend-refused': { good: false, text: 'Nothing was done: the branch does not have it any more.' },
  'resume-refused': { good: false, text: 'Nothing was done: it is not suspended.' },
  reason: { good: false, text: 'Nothing was done: to suspend needs a reason of 500 characters at most.' },
};

const REASON_LENGTH = 500;

/** Projects of tracked branches, and asking for or stopping their checks. */
export function registerProjectRoutes(
  app: FastifyInstance,
  sources: PageSources,
  access: PageAccess,
  frame: (request: FastifyRequest) => FrameView,
): void {
  app.get('/projects', async (request, reply) => {
    const query = readProjectsQuery((name) => queryParameter(request, name));
    return sendPage(reply, renderProjectsPage(await presentProjects(sources, frame(request), query)));
  });
  app.get('/projects/*', async (request, reply) => sendProject(sources, frame(request), request, reply));
  for (const action of ACTIONS) {
    app.post(`/projects/${action}`, async (request, reply) => {
      if (!access.mayChange(request, formField(request, 'csrf'))) return refuseForm(request, reply);
      const key = (queryParameter(request, 'project') ?? '') as ProjectKey;
      const outcome = await carryOut(sources, key, readCommand(action, request));
      if (outcome === 'unknown') return refuseUnknown(request, reply);
      sources.logger.info({ project: key, action, outcome, ip: request.ip }, 'a form of the page of a project');
      return reply.redirect(`${projectPagePath(key)}?notice=${outcome}`, 303);
    });
  }
}

async function sendProject(
  sources: PageSources,
  frame: FrameView,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const overview = await sources.overview.find(pathParameter(request, '*') as ProjectKey);
  if (overview === undefined) return refuseUnknown(request, reply);
  const code = queryParameter(request, 'notice') ?? '';
  const notice = Object.hasOwn(NOTICES, code) ? NOTICES[code as Outcome] : undefined;
  const after = queryParameter(request, 'after');
  return sendPage(reply, renderProjectPage(await presentProjectPage(sources, frame, overview, { notice, after })));
}

function sendPage(reply: FastifyReply, page: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(page);
}

function refuseUnknown(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return refuse(request, reply, 404, 'Not found', 'This project is not on record.');
}

function readCommand(action: Action, request: FastifyRequest): PageCommand | 'reason' {
  if (action !== 'suspend') return { name: action };
  const reason = formField(request, 'reason').trim();
  const end = readEnd(formField(request, 'for') || undefined, undefined);
  const isBad = reason === '' || reason.length > REASON_LENGTH || (end !== undefined && 'problem' in end);
  return isBad ? 'reason' : { name: 'suspend', reason, end };
}

async function carryOut(
  sources: PageSources,
  key: ProjectKey,
  command: PageCommand | 'reason',
): Promise<Outcome | 'unknown'> {
  if (command === 'reason') return command;
  const { drift, seal } = sources;
  let isDone = false;
  const changed = await drift.change(key, (project) => {
    const outcome = decideCommand(project, command, {
      actor: ACTOR,
      now: sources.now(),
      ruleId: randomUUID(),
      stored: undefined,
      seal: (stored) => seal.seal(JSON.stringify(stored), driftContext(key)),
    });
    isDone = outcome.kind === 'done';
    return outcome.kind === 'done' ? outcome.decision : NO_DECISION;
  });
  if (changed === undefined) return 'unknown';
  const { name } = command;
  if (!isDone) return `${name}-refused`;
  await wake(sources, { runIds: [], pullRequestIds: [], deliveries: [], repositoryIds: [changed.repositoryId] });
  // Else it is seen by the timer, some seconds later.
  await sources.queue
    .enqueue('drift', {})
    .catch((error: unknown) => sources.logger.warn({ error }, 'the queue did not take a wake-up'));
  return name;
}
