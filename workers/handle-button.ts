import { type Command, EMPTY_SELECTION } from '../src/core/command.ts';
import type { Trigger } from '../src/core/decide.ts';
import { isCommitSha } from '../src/core/repository.ts';
import type { ButtonEvent, RerunEvent } from '../src/core/vcs-event.ts';
import type { VcsHost } from '../src/ports/vcs-host.ts';
import type { RunContext } from './run-context.ts';
import { openRepository } from './open-pull-request.ts';
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
  await runCommand(context, host, { ...event, number: pull.number }, { command, text, trigger });
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
