import { createHash } from 'node:crypto';
import type { BatchNotes, BatchTrigger, NewRun } from './batch.ts';
import { projectTitle, type Project, type ProjectKey } from './project.ts';
import type { Account } from './pull-request.ts';
import type { Decision, NewReaction, NewReply, PullRequestState, RunRecord } from './record.ts';

/** Which trigger, by whom, and under which key the same one is recognised. */
export interface Trigger {
  readonly kind: BatchTrigger;
  /** Unique to what happened: the delivery or the comment's line. */
  readonly key: string;
  readonly actor: Account;
  readonly commentId: string | undefined;
  /** When it led to nothing it may be done again under the same key, and lead to something then; a comment is said once. */
  readonly repeatable?: true;
}

export interface ChosenProject {
  readonly key: ProjectKey;
  readonly project: Project;
}

export interface PlanRequest {
  readonly trigger: Trigger;
  readonly projects: readonly ChosenProject[];
  /** Every project that the pull request touches is in `projects`; what it held beyond them is given up. */
  readonly complete: boolean;
  readonly headSha: string;
  readonly baseSha: string;
  /** undefined: cannot be merged; nothing is planned and the notes say why. */
  readonly mergeSha: string | undefined;
  readonly notes: BatchNotes;
}

/** Plans projects: older plans on their way are superseded, locks are taken or waited for. */
export function decidePlan(state: PullRequestState, request: PlanRequest): Decision {
  const keys = new Set(request.projects.map((chosen) => chosen.key));
  const superseded = state.open.filter(
    (run) =>
      run.operation === 'plan' &&
      (request.complete || keys.has(run.projectKey) || run.batch.headSha !== request.headSha),
  );
  return {
    actor: request.trigger.actor.login,
    event: `plan:${request.trigger.kind}`,
    cancel: superseded.map((run) => ({ runId: run.id, reason: supersededBy(run, request) })),
    locks: request.projects
      .filter(({ project }) => project.repoLocks === 'on_plan')
      .map(({ key, project }) => ({ projectKey: key, project })),
    release: request.complete ? givenUp(state, keys) : [],
    batch: {
      triggerKey: request.trigger.key,
      operation: 'plan',
      trigger: request.trigger.kind,
      actor: request.trigger.actor,
      headSha: request.headSha,
      baseSha: request.baseSha,
      mergeSha: request.mergeSha,
      sourceCommentId: request.trigger.commentId,
      notes: request.notes,
      runs: request.mergeSha === undefined ? [] : request.projects.map(toRun),
    },
    reactions: accepted(request.trigger),
  };
}

function supersededBy(run: RunRecord, { headSha }: PlanRequest): string {
  return run.batch.headSha === headSha ? 'Superseded by a newer plan.' : `Superseded by commit ${headSha.slice(0, 7)}.`;
}

/** What this pull request holds and does not touch any more; never a project with an apply on its way. */
function givenUp(state: PullRequestState, wanted: ReadonlySet<ProjectKey>): readonly ProjectKey[] {
  const applying = new Set(state.open.filter((run) => run.operation === 'apply').map((run) => run.projectKey));
  // What was applied from here, even in part, is not what the base branch says: that stays locked until it is merged.
  const begun = state.latest.filter((run) => run.operation === 'apply' && run.applyStartedAt !== undefined);
  const changed = new Set([...state.applied, ...begun.map((run) => run.projectKey)]);
  const locked = state.locks.filter((lock) => lock.pullRequestId === state.pull.id).map((lock) => lock.projectKey);
  // Whatever was planned here while another had the lock may be waited for.
  const planned = state.latest.filter((run) => run.operation === 'plan').map((run) => run.projectKey);
  const waiting = planned.filter((key) => state.locks.some((lock) => lock.projectKey === key));
  const held = new Set([...locked, ...waiting, ...state.plans.map((plan) => plan.projectKey)]);
  return [...held].filter((key) => !wanted.has(key) && !applying.has(key) && !changed.has(key));
}

const toRun = ({ key, project }: ChosenProject): NewRun => ({ projectKey: key, project });

/** Shows at once that a command was read. */
export function accepted(trigger: Trigger): readonly NewReaction[] {
  return trigger.commentId === undefined ? [] : [{ commentId: trigger.commentId, reaction: 'eyes' }];
}

/** An answer instead of a run. */
export function nothingDone(trigger: Trigger, command: string, reason: string, next: string | undefined): Decision {
  return answer(
    trigger,
    { key: trigger.key, kind: 'command', view: { kind: 'nothing_done', command, reason, next } },
    'confused',
  );
}

export function answer(trigger: Trigger, reply: NewReply, reaction: 'rocket' | 'confused'): Decision {
  const nothing = trigger.repeatable && reaction === 'confused';
  return {
    actor: trigger.actor.login,
    event: `answer:${reply.kind === 'command' ? reply.view.kind : reply.kind}`,
    replies: [nothing ? { ...reply, key: keyOfNothing(reply) } : reply],
    ...(nothing ? { triggerKey: trigger.key } : {}),
    reactions: trigger.commentId === undefined ? [] : [{ commentId: trigger.commentId, reaction }],
  };
}

/** The same is not said twice, and it does not stand in the way of what the trigger may lead to later. */
function keyOfNothing({ key, view }: NewReply): string {
  return `${key}:${createHash('sha256').update(JSON.stringify(view)).digest('hex')}`;
}

/** How people know a project that is recorded; its lock tells as much as a run does. */
function titleOf(state: PullRequestState): (key: ProjectKey) => string {
  const titles = new Map<ProjectKey, string>([
    ...state.locks.map((lock) => [lock.projectKey, projectTitle(lock)] as const),
    ...state.latest.map((run) => [run.projectKey, projectTitle(run.project)] as const),
  ]);
  return (key) => titles.get(key) ?? key;
}

/** Gives up the pull request's locks and plans. Refused while an apply is running: what it does must stay locked. */
export function decideUnlock(state: PullRequestState, trigger: Trigger, command: string, word: string): Decision {
  const applying = state.open.find((run) => run.operation === 'apply' && run.state !== 'queued');
  if (applying !== undefined) {
    const reason = `${projectTitle(applying.project)} is being applied`;
    return nothingDone(trigger, command, reason, `Wait for it to end, or comment \`${word} cancel\` first.`);
  }
  const own = state.locks.filter((lock) => lock.pullRequestId === state.pull.id);
  const title = titleOf(state);
  const planned = new Set(state.plans.map((plan) => plan.projectKey));
  const keys = [...new Set([...own.map((lock) => lock.projectKey), ...planned])];
  const next = new Map(state.waiting.map((waiting) => [waiting.projectKey, waiting.number]));
  const view = {
    kind: 'unlocked',
    actor: trigger.actor.login,
    projects: keys.map((key) => ({
      title: title(key),
      planDiscarded: planned.has(key),
      next: next.get(key),
    })),
    interrupted: state.latest.filter((run) => run.state === 'interrupted').map((run) => projectTitle(run.project)),
  } as const;
  return {
    ...answer(trigger, { key: trigger.key, kind: 'command', view }, 'rocket'),
    event: 'unlock',
    cancel: state.open.map((run) => ({ runId: run.id, reason: `Unlocked by ${trigger.actor.login}.` })),
    release: 'all',
  };
}

/** Stops what is queued and what is running. */
export function decideCancel(state: PullRequestState, trigger: Trigger, command: string): Decision {
  if (state.open.length === 0) return nothingDone(trigger, command, 'nothing is queued or running', undefined);
  const queued = state.open.filter((run) => run.state === 'queued');
  const running = state.open.filter((run) => run.state !== 'queued');
  const view = {
    kind: 'cancelled',
    actor: trigger.actor.login,
    stopping: running.map((run) => projectTitle(run.project)),
    dropped: queued.map((run) => projectTitle(run.project)),
  } as const;
  return {
    ...answer(trigger, { key: trigger.key, kind: 'command', view }, 'rocket'),
    event: 'cancel',
    cancel: state.open.map((run) => ({ runId: run.id, reason: `Cancelled by ${trigger.actor.login}.` })),
  };
}

/** The pull request was merged or closed: plans on their way stop, an apply may finish, then everything is given back. */
export function decideClose(state: PullRequestState, trigger: Trigger): Decision {
  const own = state.locks.filter((lock) => lock.pullRequestId === state.pull.id);
  const title = titleOf(state);
  const unapplied = state.plans.filter((plan) => !plan.empty).map((plan) => title(plan.projectKey));
  const stoppable = state.open.filter((run) => run.operation === 'plan' || run.state === 'queued');
  const merged = state.pull.state === 'merged';
  const view = { kind: 'closed', merged, unlocked: own.map((lock) => title(lock.projectKey)), unapplied } as const;
  const worthSaying = own.length > 0 || unapplied.length > 0;
  return {
    actor: trigger.actor.login,
    event: merged ? 'merged' : 'closed',
    cancel: stoppable.map((run) => ({
      runId: run.id,
      reason: `The pull request was ${merged ? 'merged' : 'closed'}.`,
    })),
    close: true,
    replies: worthSaying ? [{ key: `closed:${trigger.key}`, kind: 'command', view }] : [],
  };
}
