import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Hub } from '../hub.ts';
import { pressButton } from '../operations/checks.ts';
import { addComment, addReview } from '../operations/conversation.ts';
import { closePull, mergePull, reopenPull, setDraft } from '../operations/pulls.ts';
import { commitTo } from '../operations/repositories.ts';
import type { PullRequest } from '../state/model.ts';
import { mountIssuePages } from './issue-routes.ts';
import {
  assertRole,
  findIssue,
  type Form,
  mountAction,
  PageRefusal,
  sendHtml,
  speakerOf,
  wordsOf,
} from './page-forms.ts';
import { templates } from './templates.ts';
import { indexModel, pullModel, timelineModel } from './view-model.ts';

function pullOf(hub: Hub, request: FastifyRequest): PullRequest {
  const pull = findIssue(hub, request)?.pull;
  if (pull === undefined) throw new PageRefusal(`There is no pull request at ${request.url}.`);
  return pull;
}

function comment(hub: Hub, pull: PullRequest, form: Form): void {
  const account = speakerOf(hub, pull.issue, form);
  if (form.event === 'APPROVE' || form.event === 'REQUEST_CHANGES') {
    if (account === pull.issue.author) throw new PageRefusal('People cannot review their own pull request.');
    const state = form.event === 'APPROVE' ? 'APPROVED' : 'CHANGES_REQUESTED';
    addReview(hub, pull, { author: account, state, body: (form.body ?? '').replaceAll('\r\n', '\n') });
    return;
  }
  addComment(hub, pull.repository, pull.issue, { account }, wordsOf(pull.issue, account, form));
}

async function act(hub: Hub, pull: PullRequest, form: Form): Promise<void> {
  const by = speakerOf(hub, pull.issue, form);
  if (by !== pull.issue.author || form.act === 'merge') assertRole(pull.issue, by, 'write');
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
  const by = speakerOf(hub, pull.issue, form);
  assertRole(pull.issue, by, 'write');
  await pressButton(hub, pull.repository, run, form.identifier ?? '', by);
}

/** What people look at: the list of pull requests and issues, and each of them with its conversation. */
export function mountPages(app: FastifyInstance, hub: Hub): void {
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(String(body))));
  });
  app.get('/', async (_request, reply) => {
    const { page, index } = templates();
    return await sendHtml(reply, page('Pull requests', index(indexModel(hub))));
  });
  app.get('/:owner/:repo/pulls', async (_request, reply) => await reply.redirect('/'));
  app.get('/:owner/:repo/pull/:number', async (request, reply) => {
    const pull = pullOf(hub, request);
    const { problem } = request.query as { problem?: string };
    const model = await pullModel(hub, pull);
    const { page, pull: show, timeline, script } = templates();
    const body = show({ ...model, problem, script, conversation: timeline(model) });
    return await sendHtml(reply, page(`${model.title} · #${model.number}`, body, model.fullName));
  });
  app.get('/:owner/:repo/pull/:number/timeline', async (request, reply) => {
    return await sendHtml(reply, templates().timeline(await timelineModel(hub, pullOf(hub, request))));
  });
  const actions = { comment, act, button: press };
  for (const [name, action] of Object.entries(actions)) {
    mountAction(app, `/:owner/:repo/pull/:number/${name}`, (request, form) => action(hub, pullOf(hub, request), form));
  }
  mountIssuePages(app, hub);
  app.setErrorHandler(async (error, _request, reply) => {
    const missing = error instanceof PageRefusal;
    const status = missing ? 404 : ((error as { statusCode?: number }).statusCode ?? 500);
    return await reply
      .code(status)
      .send({ message: error instanceof Error ? error.message : String(error), status: String(status) });
  });
}
