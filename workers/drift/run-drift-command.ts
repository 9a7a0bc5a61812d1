import { isStranger, refuseActor } from '../../src/core/actor-rules.ts';
import { decideApproval } from '../../src/core/drift/decide-approval.ts';
import { allRules } from '../../src/core/drift/decide-check.ts';
import { type CommandOutcome, decideCommand, type RecordedCommand } from '../../src/core/drift/decide-command.ts';
import { DRIFT_COMMANDS, type DriftCommand } from '../../src/core/drift/drift-command.ts';
import { type DriftProject, NO_DECISION } from '../../src/core/drift/drift-project.ts';
import { findUnmetForRemediation } from '../../src/core/drift/remediation-gate.ts';
import { silence } from '../../src/core/drift/silence-rules.ts';
import type { ProjectKey } from '../../src/core/project.ts';
import type { UnmetRequirement } from '../../src/core/reply.ts';
import { readPermission } from '../check-permission.ts';
import { describeError } from '../describe-error.ts';
import { rulesOf } from '../gather-pull-request.ts';
import { UnansweredCommandError } from '../unanswered-command-error.ts';
import { readFindings } from '../views/drift-issue-view.ts';
import { wake } from '../../src/jobs/wake.ts';
import { answerOnIssue, type IssueComment } from './answer-on-issue.ts';
import { sealFindings } from './drift-check-run.ts';
import { gatherRemediationFacts } from './gather-remediation-facts.ts';

interface GivenCommand extends IssueComment {
  /** Of the comment's line. */
  readonly key: string;
  /** The command as we would type it; what the person wrote may be anything. */
  readonly text: string;
}

interface OnProject extends GivenCommand {
  readonly project: ProjectKey;
}

/**
 * Carries out one command on a drift report; whether its author may is read from the host now. Answers `no_say` when they may do
 * nothing here, so that nobody need be asked about their next one. Throws an UnansweredCommandError when it fails.
 */
export async function runDriftCommand(
  comment: IssueComment,
  command: DriftCommand,
  key: string,
): Promise<'no_say' | undefined> {
  if (await comment.context.reports.isAnswered(key)) return undefined;
  const given = { ...comment, key, text: `${comment.word} ${DRIFT_COMMANDS[command.name].typed}` };
  try {
    return await carryOut(given, command);
  } catch (error) {
    const tell = () =>
      nothingDone(given, describeError(error), 'Nothing after it in the same comment was done either.');
    throw new UnansweredCommandError(error, tell);
  }
}

async function carryOut(given: GivenCommand, command: DriftCommand): Promise<'no_say' | undefined> {
  const { context, host, repository, actor, issue, word } = given;
  const name = DRIFT_COMMANDS[command.name].permission;
  if (name !== undefined) {
    const may = await readPermission(host, repository, rulesOf(context, repository), name, actor);
    const unmet = refuseActor(name, actor, may);
    const stranger = isStranger(may.permission);
    if (unmet.length > 0) await refuse(given, unmet, stranger);
    if (unmet.length > 0) return stranger ? 'no_say' : undefined;
  }
  if (issue.projectKey === undefined) {
    const next = `Say it on the report of the project, or on the command line: \`${word} drift help\`.`;
    await nothingDone(given, 'This issue is about several projects.', next);
  } else await onProject({ ...given, project: issue.projectKey }, command);
  return undefined;
}

async function onProject(given: OnProject, command: DriftCommand): Promise<void> {
  const { context, actor, word: trigger } = given;
  const now = context.now();
  switch (command.name) {
    case 'apply':
      return putRight(given, command.destroys);
    case 'approve':
      return record(given, (project) =>
        decideApproval(project, { fingerprint: command.fingerprint, actor, now, trigger }),
      );
    default:
      await record(given, (project) => decide(given, project, command));
      if (command.name === 'run' || command.name === 'resume') await context.queue.enqueue('drift', {});
  }
}

const ANOTHER: CommandOutcome = {
  kind: 'nothing_done',
  reason: 'The drift is another one now than the report shows.',
  next: 'Read the report, which will show it in a moment, and say it again.',
};

function decide({ context, issue, actor, key }: OnProject, project: DriftProject, command: RecordedCommand) {
  // Nobody lives with what they have not seen.
  const isSilence = command.name === 'ack' || command.name === 'snooze';
  if (isSilence && project.state.drift !== undefined && issue.fingerprint !== project.state.drift.fingerprint) {
    return ANOTHER;
  }
  // Of a delivery that comes again before it was answered.
  const silences = project.silences.filter(({ id }) => id !== key);
  return decideCommand({ ...project, silences }, command, {
    actor,
    now: context.now(),
    ruleId: key,
    stored: readFindings(context, project),
    seal: (stored) => sealFindings(context, project, stored),
  });
}

const NOT_KNOWN: CommandOutcome = {
  kind: 'nothing_done',
  reason: 'The project is not known any more.',
  next: undefined,
};

/** Decides with what is on record, writes that down, and says so. */
async function record(given: OnProject, decideFor: (project: DriftProject) => CommandOutcome): Promise<void> {
  const { context, key, text: command } = given;
  const decided: CommandOutcome[] = [];
  await context.drift.change(given.project, (project) => {
    const outcome = decideFor(project);
    decided.push(outcome);
    return outcome.kind === 'done' ? outcome.decision : NO_DECISION;
  });
  const outcome = decided.at(-1) ?? NOT_KNOWN;
  if (outcome.kind === 'nothing_done') return nothingDone(given, outcome.reason, outcome.next);
  const view = { kind: 'done', command, sentence: outcome.sentence } as const;
  await answerOnIssue(given, { key, view, reaction: 'rocket' });
}

/** Of the drift that the report shows; it is planned afresh, and nothing is applied when it has become another. */
async function putRight(given: OnProject, destroys: readonly string[]): Promise<void> {
  const { context, issue, actor, key, commentId, word } = given;
  const page = await context.drift.find(given.project);
  const stored = page && readFindings(context, page.project);
  if (page === undefined || stored === undefined) {
    return nothingDone(given, 'No check has come to a finding yet.', `Comment \`${word} drift run\`.`);
  }
  const order = { fingerprint: issue.state === 'open' ? (issue.fingerprint ?? '') : '', destroys: destroys.map(typed) };
  const { fingerprint } = silence(stored.found, allRules(page.project), context.now()).findings;
  const seen = { fingerprint, found: stored.found };
  const facts = await gatherRemediationFacts(context, page, { actor, order, seen, applyRefusal: undefined });
  const unmet = findUnmetForRemediation(facts);
  if (unmet.length > 0) return refuse(given, unmet, false);
  const started = await context.drift.startRemediation(given.project, { triggerKey: key, actor, commentId, order });
  if (started.kind === 'busy') {
    return nothingDone(given, 'Another run of it is queued or running.', 'Say it again when that has ended.');
  }
  const [runId = ''] = started.wakeups.runIds;
  await answerOnIssue(given, { key, view: { kind: 'remediation', runId }, reaction: 'eyes' });
  await wake(context, started.wakeups);
}

/** Comments of ours part some words with an invisible character, and people copy from them. */
function typed(address: string): string {
  return address.replaceAll('\u200B', '');
}

function refuse(given: GivenCommand, unmet: readonly UnmetRequirement[], stranger: boolean): Promise<void> {
  const view = { kind: 'refused', command: given.text, actor: given.actor.login, unmet } as const;
  return answerOnIssue(given, { key: given.key, view, reaction: 'confused', stranger });
}

function nothingDone(given: GivenCommand, reason: string, next: string | undefined): Promise<void> {
  const view = { kind: 'nothing_done', command: given.text, reason, next } as const;
  return answerOnIssue(given, { key: given.key, view, reaction: 'confused' });
}
