import { type Command, EMPTY_SELECTION } from '../src/core/command.ts';
import { nothingDone, type Trigger } from '../src/core/decide.ts';
import { HostRefusedError } from '../src/core/host-error.ts';
import { newestBatch } from '../src/core/newest-batch.ts';
import type { PullRequestState } from '../src/core/record.ts';
import { isCommitSha } from '../src/core/repository.ts';
import type { ButtonEvent, RerunEvent } from '../src/core/vcs-event.ts';
import type { VcsHost } from '../src/ports/vcs-host.ts';
import type { RunContext } from './run-context.ts';
import { recordDecision } from './decide-pull-request.ts';
import { openPullRequest, openRepository } from './open-pull-request.ts';
import { ProjectRefusedError } from './project-refused-error.ts';
import { runCommand } from './run-command.ts';
import { UnansweredCommandError } from './unanswered-command-error.ts';

const ON_ALL = { selection: EMPTY_SELECTION, verbose: false, extraArgs: [] } as const;

const BUTTONS: Readonly<Record<string, Command>> = {
  plan: { name: 'plan', ...ON_ALL },
  apply: { name: 'apply', ...ON_ALL, automergeDisabled: false, automergeMethod: undefined },
  unlock: { name: 'unlock' },
};

/**
 * A press of a button is a command of the person who pressed it. Pressed again on the same check run it is the same one, however it comes
 * to us; whatever it leads to gives the check run another batch.
 */
export async function handleButton(context: RunContext, host: VcsHost, event: ButtonEvent): Promise<void> {
  const { batchId, identifier, sender } = event;
  const command = Object.hasOwn(BUTTONS, identifier) ? BUTTONS[identifier] : undefined;
  const pullId = await context.publications.findPullRequestOfBatch(batchId);
  const pull = pullId && (await context.pulls.find(pullId));
  if (command === undefined || pull === undefined || pull.repository.id !== event.repositoryId) return;
  const key = `button:${batchId}:${identifier}:${sender.id}`;
  const trigger: Trigger = { kind: 'button', key, actor: sender, commentId: undefined, repeatable: true };
  const text = `the button ${identifier}`;
  const at = { ...event, number: pull.number };
  const instead = (state: PullRequestState | undefined) =>
    command.name === 'apply' && isOutdated(state, batchId)
      ? nothingDone(trigger, text, OUTDATED, SEE_THE_NEW_ONES)
      : undefined;
  const known = instead(await context.runs.readState(pull.id));
  if (known === undefined) return void (await runCommand(context, host, at, { command, text, trigger, instead }));
  const current = await openPullRequest(context, host, at);
  if (current !== undefined) await recordDecision(context, current, () => known);
}

const OUTDATED = 'it belongs to plans that were made anew or applied since';
const SEE_THE_NEW_ONES = 'Read the newest plans, and press the button of their check run.';

/** Whoever presses has seen the plans of that check run; newer ones they have not, and those may come while the facts are gathered. */
function isOutdated(state: PullRequestState | undefined, batchId: string): boolean {
  return state === undefined || newestBatch(state)?.id !== batchId;
}

/**
 * "Re-run" means: plan again, each pull request whose head this commit is. Of a check run it is one request, however often it comes; a
 * suite does not tell one request from the next, so there the delivery counts.
 */
export async function handleRerun(
  context: RunContext,
  host: VcsHost,
  event: RerunEvent,
  deliveryId: string,
): Promise<void> {
  const { batchId, sender } = event;
  const repository = await openRepository(context, host, event);
  if (repository === undefined || !isCommitSha(event.headSha)) return;
  const numbers = await host.findPullRequestsOfCommit(repository, event.headSha);
  const request = batchId === undefined ? deliveryId : `${batchId}:${sender.id}`;
  const failed: unknown[] = [];
  for (const number of numbers) {
    const key = `rerun:${request}:${number}`;
    const trigger: Trigger = { kind: 'rerun', key, actor: sender, commentId: undefined, repeatable: true };
    const command: Command = { name: 'plan', ...ON_ALL };
    try {
      await runCommand(context, host, { ...event, number }, { command, text: 're-run', trigger });
    } catch (error) {
      failed.push(error);
    }
  }
  if (failed.length > 0) throw joinFailures(failed);
}

/** One pull request must not keep the others from what was asked. What may pass is tried again for all; then each is told of its own. */
function joinFailures(failed: readonly unknown[]): unknown {
  const causes = failed.map((error) => (error instanceof UnansweredCommandError ? error.cause : error));
  const cause = causes.find((one) => !(one instanceof HostRefusedError || one instanceof ProjectRefusedError));
  return new UnansweredCommandError(cause ?? causes[0], async () => {
    for (const error of failed) if (error instanceof UnansweredCommandError) await error.tell();
  });
}
