import { readFileSync } from 'node:fs';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Handlebars from 'handlebars';
import type { Hub } from '../hub.ts';
import { pressButton } from '../operations/checks.ts';
import { addComment, addReview } from '../operations/conversation.ts';
import { closePull, mergePull, reopenPull, setDraft } from '../operations/pulls.ts';
import { commitTo } from '../operations/repositories.ts';
import type { Account, PullRequest } from '../state/model.ts';
import { atLeast, roleOf } from '../state/permissions.ts';
import { indexModel, pullModel, timelineModel } from './view-model.ts';

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');

/** Compiled when the first page is asked for, so that a test that looks at none pays nothing. */
function templates() {
  const compile = (name: string) => Handlebars.compile(read(name));
  const css = read('style.css');
  const layout = compile('layout.hbs');
  const page = (title: string, body: string, fullName?: string) => layout({ title, body, css, fullName });
  return {
    page,
    index: compile('index.hbs'),
    pull: compile('pull.hbs'),
    timeline: compile('timeline.hbs'),
    script: read('pull.client.js'),
  };
}

let compiled: ReturnType<typeof templates> | undefined;

function ready(): ReturnType<typeof templates> {
  compiled ??= templates();
  return compiled;
}

interface Form {
  readonly as?: string;
  readonly body?: string;
  readonly event?: string;
  readonly act?: string;
  readonly run?: string;
  readonly identifier?: string;
}

class PageRefusal extends Error {}

function pullOf(hub: Hub, request: FastifyRequest): PullRequest {
  const { owner = '', repo = '', number = '' } = request.params as Record<string, string | undefined>;
  const pull = hub.world.findRepository(owner, repo)?.issues.get(Number(number))?.pull;
  if (pull === undefined) throw new PageRefusal(`There is no pull request ${owner}/${repo}#${number}.`);
  return pull;
}

function speakerOf(hub: Hub, pull: PullRequest, form: Form): Account {
  const account = hub.world.findAccount(form.as ?? '');
  if (account === undefined || !atLeast(roleOf(pull.repository, account), 'read'))
    throw new PageRefusal('Choose who is speaking.');
  return account;
}

function assertWrites(pull: PullRequest, who: Account): void {
  if (!atLeast(roleOf(pull.repository, who), 'write'))
    throw new PageRefusal(`${who.login} may not do this: write permission is needed.`);
}

function comment(hub: Hub, pull: PullRequest, form: Form): void {
  const account = speakerOf(hub, pull, form);
  const body = (form.body ?? '').replaceAll('\r\n', '\n');
  if (form.event === 'APPROVE' || form.event === 'REQUEST_CHANGES') {
    if (account === pull.issue.author) throw new PageRefusal('People cannot review their own pull request.');
    addReview(hub, pull, { author: account, state: form.event === 'APPROVE' ? 'APPROVED' : 'CHANGES_REQUESTED', body });
    return;
  }
  if (body.trim() === '') throw new PageRefusal('Write something first.');
  addComment(hub, pull.repository, pull.issue, { account }, body);
}

async function act(hub: Hub, pull: PullRequest, form: Form): Promise<void> {
  const by = speakerOf(hub, pull, form);
  if (by !== pull.issue.author || form.act === 'merge') assertWrites(pull, by);
  const acts: Readonly<Record<string, () => Promise<unknown>>> = {
    merge: () => mergePull(hub, pull, { by, method: 'merge' }),
    close: () => closePull(hub, pull, by),
    reopen: () => reopenPull(hub, pull, by),
    draft: () => setDraft(hub, pull, true, by),
    ready: () => setDraft(hub, pull, false, by),
    push: () =>
      commitTo(hub, pull.headRepository ?? pull.repository, {
        branch: pull.headRef,
        files: {},
        message: 'Empty commit',
        author: by,
      }),
  };
  await acts[form.act ?? '']?.();
}

async function press(hub: Hub, pull: PullRequest, form: Form): Promise<void> {
  const run = pull.repository.checkRuns.find((one) => one.id === Number(form.run));
  if (run === undefined) throw new PageRefusal('That check run is gone.');
  const by = speakerOf(hub, pull, form);
  assertWrites(pull, by);
  await pressButton(hub, pull.repository, run, form.identifier ?? '', by);
}

/** A form on somebody else's page must not speak for the people here. */
function assertOwnPage(request: FastifyRequest): void {
  const { origin, host } = request.headers;
  if (origin !== undefined && origin !== `http://${host}`)
    throw new PageRefusal('This form was sent from another page.');
}

type Action = (hub: Hub, pull: PullRequest, form: Form) => Promise<void> | void;

/** Does what the form says and goes back to the page, with the reason when it was refused. */
function mountAction(app: FastifyInstance, hub: Hub, name: string, action: Action): void {
  app.post(`/:owner/:repo/pull/:number/${name}`, async (request, reply) => {
    const back = request.url.replace(/\/\w+$/, '');
    try {
      assertOwnPage(request);
      await action(hub, pullOf(hub, request), (request.body ?? {}) as Form);
      return await reply.redirect(back, 303);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      return await reply.redirect(`${back}?problem=${encodeURIComponent(problem)}`, 303);
    }
  });
}

async function sendHtml(reply: FastifyReply, html: string): Promise<FastifyReply> {
  return await reply.header('cache-control', 'no-store').type('text/html; charset=utf-8').send(html);
}

/** What people look at: the list of pull requests, and a pull request with its conversation. */
export function mountPages(app: FastifyInstance, hub: Hub): void {
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(String(body))));
  });
  app.get(
    '/',
    async (_request, reply) => await sendHtml(reply, ready().page('Pull requests', ready().index(indexModel(hub)))),
  );
  app.get('/:owner/:repo/pulls', async (_request, reply) => await reply.redirect('/'));
  app.get('/:owner/:repo/pull/:number', async (request, reply) => {
    const pull = pullOf(hub, request);
    const { problem } = request.query as { problem?: string };
    const model = await pullModel(hub, pull);
    const { page, pull: show, timeline, script } = ready();
    const body = show({ ...model, problem, script, conversation: timeline(model) });
    return await sendHtml(reply, page(`${model.title} · #${model.number}`, body, model.fullName));
  });
  app.get('/:owner/:repo/pull/:number/timeline', async (request, reply) => {
    return await sendHtml(reply, ready().timeline(await timelineModel(hub, pullOf(hub, request))));
  });
  mountAction(app, hub, 'comment', comment);
  mountAction(app, hub, 'act', act);
  mountAction(app, hub, 'button', press);
  app.setErrorHandler(async (error, _request, reply) => {
    const missing = error instanceof PageRefusal;
    const status = missing ? 404 : ((error as { statusCode?: number }).statusCode ?? 500);
    return await reply
      .code(status)
      .send({ message: error instanceof Error ? error.message : String(error), status: String(status) });
  });
}
