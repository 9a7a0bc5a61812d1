import { isStranger, refuseActor } from '../src/core/actor-rules.ts';
import type { ApplyCommand, Command, PlanCommand, ProjectSelection, VersionCommand } from '../src/core/command.ts';
import { isEmptySelection } from '../src/core/command.ts';
import { decideApply } from '../src/core/decide-apply.ts';
import { answer, decideCancel, decidePlan, decideUnlock, nothingDone, type Trigger } from '../src/core/decide.ts';
import { projectTitle } from '../src/core/project.ts';
import type { FoundProject } from '../src/core/project-finder.ts';
import type { Decision, PullRequestRecord, PullRequestState } from '../src/core/record.ts';
import { selectAmong, selectForPlan } from '../src/core/select-projects.ts';
import { servesBranch } from '../src/core/resolve-rules.ts';
import type { VcsHost } from '../src/ports/vcs-host.ts';
import { readPermission } from './check-permission.ts';
import { chooseProjects, planNotes, recordDecision } from './decide-pull-request.ts';
import { gatherPullRequest, rulesOf } from './gather-pull-request.ts';
import type { RunContext } from './run-context.ts';
import { type EventRepository, openPullRequest } from './open-pull-request.ts';
import { UnansweredCommandError } from './unanswered-command-error.ts';
import { describeError } from './describe-error.ts';
import { listVersions } from './list-versions.ts';

export interface CommandRequest {
  readonly command: Command;
  /** For the answer. */
  readonly text: string;
  readonly trigger: Trigger;
  /** Asked with what is recorded at the moment an apply is decided; what it answers is done in place of the apply. */
  readonly instead?: (state: PullRequestState) => Decision | undefined;
}

interface CommandContext extends CommandRequest {
  readonly context: RunContext;
  readonly host: VcsHost;
  readonly pull: PullRequestRecord;
  /** The word people start a command with. */
  readonly word: string;
}

/**
 * Carries out one command of one person; whether they may is read from the host now. Answers `no_say` when they may do nothing here,
 * so that nobody need be asked about their next one. Throws an UnansweredCommandError when it fails once the pull request is known.
 */
export async function runCommand(
  context: RunContext,
  host: VcsHost,
  event: EventRepository & { readonly number: number },
  request: CommandRequest,
): Promise<'no_say' | undefined> {
  const pull = await openPullRequest(context, host, event);
  if (pull === undefined) return undefined;
  try {
    return await runOn(context, host, pull, request);
  } catch (error) {
    throw new UnansweredCommandError(error, () => tellFailure(context, pull, request, error));
  }
}

async function tellFailure(
  context: RunContext,
  pull: PullRequestRecord,
  { trigger, text }: CommandRequest,
  error: unknown,
): Promise<void> {
  const next = trigger.kind === 'command' ? 'Nothing after it in the same comment was done either.' : undefined;
  await recordDecision(context, pull, () => nothingDone(trigger, text, describeError(error), next));
}

async function runOn(
  context: RunContext,
  host: VcsHost,
  pull: PullRequestRecord,
  request: CommandRequest,
): Promise<'no_say' | undefined> {
  const { command, trigger, text } = request;
  const rules = rulesOf(context, pull.repository);
  const permission = await readPermission(host, pull.repository, rules, command.name, trigger.actor);
  const unmet = refuseActor(command.name, trigger.actor, permission);
  if (unmet.length > 0) {
    const view = { kind: 'refused', command: text, actor: trigger.actor.login, unmet } as const;
    const stranger = isStranger(permission.permission);
    const refusal = answer(trigger, { key: trigger.key, kind: 'command', view }, 'confused');
    await recordDecision(context, pull, () => (stranger ? { ...refusal, stranger: trigger.actor.id } : refusal));
    return stranger ? 'no_say' : undefined;
  }
  const word = context.config.triggers[0] ?? 'holdfast';
  await carryOut({ ...request, context, host, pull, word });
  return undefined;
}

async function carryOut(at: CommandContext): Promise<void> {
  const { command, context, pull, trigger, text, word } = at;
  if (command.name === 'unlock')
    return recordDecision(context, pull, (state) => decideUnlock(state, trigger, text, word));
  const reason = whyNotServed(at);
  if (reason !== undefined) return recordDecision(context, pull, () => nothingDone(trigger, text, reason, undefined));
  switch (command.name) {
    case 'cancel':
      return recordDecision(context, pull, (state) => decideCancel(state, trigger, text));
    case 'plan':
      return plan(at, command);
    case 'apply':
      return apply(at, command);
    case 'version':
      return version(at, command);
  }
}

/** One that is open and was served before may go elsewhere by now. */
function whyNotServed({ context, pull }: CommandContext): string | undefined {
  if (pull.state !== 'open') return `the pull request is ${pull.state}`;
  if (servesBranch(rulesOf(context, pull.repository), pull.baseRef)) return undefined;
  return `pull requests into \`${pull.baseRef}\` are not served here`;
}

async function plan({ context, host, pull, trigger, text }: CommandContext, command: PlanCommand): Promise<void> {
  if (pull.fork && context.config.forks === 'off') {
    const reason = 'the pull request comes from a fork, and this server does not plan forks';
    return recordDecision(context, pull, () =>
      nothingDone(trigger, text, reason, 'Push the branch to this repository.'),
    );
  }
  const gathered = await gatherPullRequest(context, host, pull);
  const { merge, projects, finder } = gathered;
  if (merge.mergeSha === undefined)
    return recordDecision(context, pull, () => nothingDone(trigger, text, merge.note, undefined));
  const { configProblems: problems } = gathered;
  if (problems.length > 0) {
    const reply = { key: trigger.key, kind: 'command', view: { kind: 'config_problems', problems } } as const;
    return recordDecision(context, pull, () => answer(trigger, reply, 'confused'));
  }
  const selected = finder && selectForPlan(finder, projects, command.selection);
  if (selected !== undefined && 'problem' in selected) {
    return recordDecision(context, pull, () => nothingDone(trigger, text, selected.problem, undefined));
  }
  const chosen = chooseProjects(gathered, selected?.projects ?? []);
  if (chosen.length === 0) {
    const reason = 'this pull request touches no project';
    return recordDecision(context, pull, () => nothingDone(trigger, text, reason, undefined));
  }
  const notes = planNotes(gathered, command);
  const explanations = [...notes.explanations, ...(selected?.leftOut ?? [])];
  await recordDecision(
    context,
    pull,
    (state) =>
      decidePlan(state, {
        trigger,
        projects: chosen,
        complete: isEmptySelection(command.selection),
        headSha: merge.headSha,
        baseSha: merge.baseSha,
        mergeSha: merge.mergeSha,
        notes: { ...notes, explanations },
      }),
    'later',
  );
}

async function apply(
  { context, host, pull, trigger, text, word, instead }: CommandContext,
  command: ApplyCommand,
): Promise<void> {
  if (command.extraArgs.length > 0) {
    const reason = 'what follows `--` cannot change a plan that was approved';
    const next = `Give it to the plan: \`${word} plan -- ${command.extraArgs.join(' ')}\`.`;
    return recordDecision(context, pull, () => nothingDone(trigger, text, reason, next));
  }
  const gathered = await gatherPullRequest(context, host, pull);
  const { merge, projects } = gathered;
  const known = chooseProjects(gathered, projects.all);
  const touched = chooseProjects(gathered, projects.autoplan);
  const { selection } = command;
  const automerge = (projects.settings.automerge ?? context.config.automerge) && !command.automergeDisabled;
  const notes = {
    ...planNotes(gathered, { extraArgs: [], verbose: command.verbose }),
    parallel: projects.settings.parallelApply,
    automerge: automerge ? { method: command.automergeMethod ?? context.config.automergeMethod } : undefined,
  };
  const { headSha, baseSha } = merge;
  await recordDecision(
    context,
    pull,
    (state) =>
      instead?.(state) ??
      decideApply(state, { trigger, command: text, selection, known, touched, headSha, baseSha, notes, word }),
    'later',
  );
}

async function version({ context, host, pull, trigger, text }: CommandContext, command: VersionCommand): Promise<void> {
  const gathered = await gatherPullRequest(context, host, pull);
  const selected = isEmptySelection(command.selection)
    ? gathered.projects.autoplan
    : selectFound(gathered.projects.all, command.selection);
  if (selected.length === 0 && !isEmptySelection(command.selection)) {
    return recordDecision(context, pull, () => nothingDone(trigger, text, 'there is no such project', undefined));
  }
  const versions = await listVersions(
    context,
    selected.map(({ project }) => ({
      title: projectTitle(project),
      project,
      requiredVersions: gathered.finder?.head.configuration.get(project.dir)?.requiredVersions ?? [],
    })),
  );
  await recordDecision(context, pull, () =>
    answer(trigger, { key: trigger.key, kind: 'command', view: versions }, 'rocket'),
  );
}

function selectFound(all: readonly FoundProject[], selection: ProjectSelection): readonly FoundProject[] {
  const chosen = new Set(
    selectAmong(
      all.map(({ project }) => project),
      selection,
    ),
  );
  return all.filter(({ project }) => chosen.has(project));
}
