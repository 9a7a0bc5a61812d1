import { type Command, EMPTY_SELECTION } from '../src/core/command.ts';
import { nothingDone, type Trigger } from '../src/core/decide.ts';
import type { PullRequestId } from '../src/core/record.ts';
import { isCommitSha } from '../src/core/repository.ts';
import type { ButtonEvent, RerunEvent } from '../src/core/vcs-event.ts';
import type { VcsHost } from '../src/ports/vcs-host.ts';
import type { RunContext } from './run-context.ts';
import { recordDecision } from './decide-pull-request.ts';
import { openPullRequest, openRepository } from './open-pull-request.ts';
import { runCommand } from './run-command.ts';

const ON_ALL = { selection: EMPTY_SELECTION, verbose: false, extraArgs: [] } as const;

const BUTTONS: Readonly<Record<string, Command>> = {
  plan: { name: 'plan', ...ON_ALL },
  apply: { name: 'apply', ...ON_ALL, automergeDisabled: false, automergeMethod: undefined },
  unlock: { name: 'unlock' },
};

/** A press of a button is a command of the person who pressed it. */
export async function handleButton(context: RunContext, host: VcsHost, event: ButtonEvent, key: string): Promise<void> {
  const command = Object.hasOwn(BUTTONS, event.identifier) ? BUTTONS[event.identifier] : undefined;
  const pullId = await context.publications.findPullRequestOfBatch(event.batchId);
  const pull = pullId && (await context.pulls.find(pullId));
  if (command === undefined || pull === undefined || pull.repository.id !== event.repositoryId) return;
  const trigger: Trigger = { kind: 'button', key: `button:${key}`, actor: event.sender, commentId: undefined };
  const text = `the button ${event.identifier}`;
  const at = { ...event, number: pull.number };
  if (command.name === 'apply' && (await isOutdated(context, pull.id, event.batchId))) {
    const current = await openPullRequest(context, host, at);
    if (current === undefined) return;
    const decision = nothingDone(trigger, text, 'it belongs to plans that were made anew since', SEE_THE_NEW_ONES);
    return recordDecision(context, current, () => decision);
  }
  await runCommand(context, host, at, { command, text, trigger });
}

const SEE_THE_NEW_ONES = 'Read the newest plans, and press the button of their check run.';

/** Whoever presses has seen the plans of that check run; newer ones they have not. */
async function isOutdated(context: RunContext, id: PullRequestId, batchId: string): Promise<boolean> {
  return (await context.runs.readState(id))?.planBatch?.id !== batchId;
}

/** "Re-run" means: plan again, each pull request whose head this commit is. */
export async function handleRerun(context: RunContext, host: VcsHost, event: RerunEvent, key: string): Promise<void> {
  const repository = await openRepository(context, host, event);
  if (repository === undefined || !isCommitSha(event.headSha)) return;
  const numbers = await host.findPullRequestsOfCommit(repository, event.headSha);
  for (const number of numbers) {
    const trigger: Trigger = {
      kind: 'rerun',
      key: `rerun:${key}:${number}`,
      actor: event.sender,
      commentId: undefined,
    };
    const command: Command = { name: 'plan', ...ON_ALL };
    await runCommand(context, host, { ...event, number }, { command, text: 're-run', trigger });
  }
}
