import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Hub } from '../hub.ts';
import { addComment } from '../operations/conversation.ts';
import { deleteIssue, lockIssue, setIssueState, unlockIssue } from '../operations/issues.ts';
import type { Account, Issue } from '../state/model.ts';
import { fullName } from '../state/world.ts';
import { issueModel } from './issue-model.ts';
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

function issueOf(hub: Hub, request: FastifyRequest): Issue {
  const issue = findIssue(hub, request);
  if (issue !== undefined && issue.pull === undefined) return issue;
  throw new PageRefusal(`There is no issue at ${request.url}.`);
}

function comment(hub: Hub, issue: Issue, form: Form): void {
  const account = speakerOf(hub, issue, form);
  addComment(hub, issue.repository, issue, { account }, wordsOf(issue, account, form));
}

type Act = (hub: Hub, issue: Issue, by: Account) => void;

const ACTS: Readonly<Record<string, { readonly role: 'triage' | 'write' | 'admin'; readonly act: Act }>> = {
  close: { role: 'triage', act: (hub, issue, by) => setIssueState(hub, issue, 'closed', 'completed', by) },
  not_planned: { role: 'triage', act: (hub, issue, by) => setIssueState(hub, issue, 'closed', 'not_planned', by) },
  reopen: { role: 'triage', act: (hub, issue, by) => setIssueState(hub, issue, 'open', undefined, by) },
  lock: { role: 'write', act: (hub, issue, by) => lockIssue(hub, issue, null, by) },
  unlock: { role: 'write', act: unlockIssue },
  delete: { role: 'admin', act: deleteIssue },
};

/** Its author may close and reopen an issue, too. Returns where to go when the page is no more. */
function act(hub: Hub, issue: Issue, form: Form): string | undefined {
  const wanted = ACTS[form.act ?? ''];
  if (wanted === undefined) throw new PageRefusal('There is no such button.');
  const by = speakerOf(hub, issue, form);
  if (wanted.role !== 'triage' || by !== issue.author) assertRole(issue, by, wanted.role);
  wanted.act(hub, issue, by);
  return form.act === 'delete' ? '/' : undefined;
}

/** An issue with its conversation. A number that is a pull request's leads there, and one that moved to its new place. */
export function mountIssuePages(app: FastifyInstance, hub: Hub): void {
  app.get('/:owner/:repo/issues', async (_request, reply) => await reply.redirect('/'));
  app.get('/:owner/:repo/issues/:number', async (request, reply) => {
    const elsewhere = elsewhereOf(hub, request);
    if (elsewhere !== undefined) return await reply.redirect(elsewhere);
    const issue = issueOf(hub, request);
    const { problem } = request.query as { problem?: string };
    const model = issueModel(hub, issue);
    const { page, issue: show, issueTimeline, script } = templates();
    const body = show({ ...model, problem, script, conversation: issueTimeline(model) });
    return await sendHtml(reply, page(`${model.title} · #${model.number}`, body, model.fullName));
  });
  app.get('/:owner/:repo/issues/:number/timeline', async (request, reply) =>
    sendHtml(reply, templates().issueTimeline(issueModel(hub, issueOf(hub, request)))),
  );
  mountAction(app, '/:owner/:repo/issues/:number/comment', (request, form) =>
    comment(hub, issueOf(hub, request), form),
  );
  mountAction(app, '/:owner/:repo/issues/:number/act', (request, form) => act(hub, issueOf(hub, request), form));
}

function elsewhereOf(hub: Hub, request: FastifyRequest): string | undefined {
  const { owner = '', repo = '', number = '' } = request.params as Record<string, string | undefined>;
  if (findIssue(hub, request)?.pull !== undefined) return `/${owner}/${repo}/pull/${number}`;
  const trace = hub.world.findRepository(owner, repo)?.departed.get(Number(number));
  return trace?.kind === 'transferred' ? `/${fullName(trace.to.repository)}/issues/${trace.to.number}` : undefined;
}
