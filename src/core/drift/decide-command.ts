import { instantText } from '../../lib/instant.ts';
import type { Account } from '../pull-request.ts';
import { type DriftCommand, resolveEnd } from './drift-command.ts';
import type { DriftDecision, DriftProject } from './drift-project.ts';
import { decideRules } from './decide-check.ts';
import { endSentence } from './drift-ending.ts';
import { isInForce, type SilenceRule, silence, silenceRuleProblems } from './silence-rules.ts';
import { isSuspended, suspensionText } from './skip.ts';
import type { StoredFindings } from './stored-findings.ts';

/** Those that change what is recorded of a project, and run nothing themselves. */
export type RecordedCommand = Exclude<DriftCommand, { readonly name: 'apply' | 'approve' }>;

export interface CommandFacts {
  readonly actor: Account;
  readonly now: Date;
  /** Of the rule that the command may make. */
  readonly ruleId: string;
  /** What the last check found; undefined: nothing yet, or it cannot be read any more. */
  readonly stored: StoredFindings | undefined;
  readonly seal: (findings: StoredFindings) => Buffer;
}

export type CommandOutcome =
  /** `sentence` may hold what people wrote. */
  | { readonly kind: 'done'; readonly decision: DriftDecision; readonly sentence: string }
  /** Nothing is to be recorded. */
  | { readonly kind: 'nothing_done'; readonly reason: string; readonly next: string | undefined };

/** Rules of one project; so that they stay readable, and what is kept of a project stays small. */
const MOST_RULES = 100;
const REASON_LENGTH = 500;

/** What a person's command means for one project, wherever it was given. Whether they may is decided before. */
export function decideCommand(project: DriftProject, command: RecordedCommand, facts: CommandFacts): CommandOutcome {
  if (!project.listed && command.name !== 'ack' && command.name !== 'snooze') {
    return nothing('The tracked branch does not have this project any more.');
  }
  switch (command.name) {
    case 'run':
      return run(project, facts);
    case 'suspend':
      return suspend(command, facts);
    case 'resume':
      return resume(project, facts);
    case 'ack':
    case 'snooze':
      return quieten(project, command, facts);
    case 'ignore':
      return ignore(project, command, facts);
  }
}

function nothing(reason: string, next?: string): CommandOutcome {
  return { kind: 'nothing_done', reason, next };
}

function run({ settings, suspension }: DriftProject, { actor, now }: CommandFacts): CommandOutcome {
  if (!settings.enabled) {
    return nothing('Its drift checks are turned off.', 'Turn them on with `drift.enabled` in the config.');
  }
  if (isSuspended(suspension, now)) return nothing(endSentence(suspensionText(suspension, now)), 'Resume it first.');
  return {
    kind: 'done',
    decision: {
      changes: { request: { kind: 'command', actor, at: now } },
      report: false,
      audit: { actor: actor.login, event: 'check_asked_for' },
    },
    sentence: 'It is checked as soon as a worker is free and nothing else works on it.',
  };
}

function suspend(
  { reason, end }: Extract<DriftCommand, { name: 'suspend' }>,
  { actor, now }: CommandFacts,
): CommandOutcome {
  if (reason.trim() === '' || reason.length > REASON_LENGTH) {
    return nothing(`To suspend needs a reason of ${REASON_LENGTH} characters at most.`);
  }
  const until = end && resolveEnd(end, now);
  if (until !== undefined && 'problem' in until) return nothing(until.problem);
  const suspension = { reason, by: actor.login, since: now, until };
  return {
    kind: 'done',
    decision: {
      changes: { suspension, request: undefined },
      report: true,
      audit: { actor: actor.login, event: 'suspended', detail: { reason, ...(until && { until }) } },
    },
    sentence: `It is not checked ${until === undefined ? 'until it is resumed' : `until ${instantText(until)}`}.`,
  };
}

function resume({ suspension, skip }: DriftProject, { actor, now }: CommandFacts): CommandOutcome {
  if (!isSuspended(suspension, now)) return nothing('It is not suspended.');
  return {
    kind: 'done',
    decision: {
      changes: { suspension: undefined, ...(skip?.code === 'suspended' ? { skip: undefined } : {}) },
      report: true,
      audit: { actor: actor.login, event: 'resumed' },
    },
    sentence: 'It is checked again: at once if that is due, else when it is.',
  };
}

function quieten(
  project: DriftProject,
  command: Extract<DriftCommand, { name: 'ack' | 'snooze' }>,
  facts: CommandFacts,
): CommandOutcome {
  const fingerprint = project.state.drift?.fingerprint;
  if (fingerprint === undefined) return nothing('No drift of it is known.');
  const said = { id: facts.ruleId, by: facts.actor.login, reason: command.reason, fingerprint };
  if (command.name === 'ack') {
    const others = project.silences.filter((one) => one.kind !== 'acknowledge' || one.fingerprint !== fingerprint);
    return withRule(project, others, { kind: 'acknowledge', ...said }, facts, [
      'This drift is not reported again until it is another.',
    ]);
  }
  const until = resolveEnd(command.end, facts.now);
  if ('problem' in until) return nothing(until.problem);
  const others = project.silences.filter((one) => one.kind !== 'snooze' || one.fingerprint !== fingerprint);
  return withRule(project, others, { kind: 'snooze', ...said, until }, facts, [
    `This drift is not reported until ${instantText(until)}.`,
  ]);
}

function ignore(
  project: DriftProject,
  { address, attribute, reason, owner, end }: Extract<DriftCommand, { name: 'ignore' }>,
  facts: CommandFacts,
): CommandOutcome {
  const expires = resolveEnd(end, facts.now);
  if ('problem' in expires) return nothing(expires.problem);
  const rule: SilenceRule = {
    kind: 'ignore',
    id: facts.ruleId,
    address,
    attribute,
    reason,
    owner: owner ?? facts.actor.login,
    expires,
  };
  return withRule(project, project.silences, rule, facts, [
    `Until ${instantText(expires)} these differences do not count as drift; an apply would change them all the same.`,
    matchText(rule, facts),
  ]);
}

/** A rule that matches nothing is often one that was mistyped. */
function matchText(rule: SilenceRule, { stored, now }: CommandFacts): string {
  if (stored === undefined) return 'What it matches shows with the next check.';
  const count = silence(stored.found, [rule], now).ignored.length;
  return count === 0
    ? 'It matches nothing of what the last check found.'
    : `It matches ${count} of the differences that the last check found.`;
}

function withRule(
  project: DriftProject,
  others: readonly SilenceRule[],
  rule: SilenceRule,
  facts: CommandFacts,
  sentences: readonly string[],
): CommandOutcome {
  const { now, actor, stored, seal } = facts;
  const problems = silenceRuleProblems(rule, now);
  if (problems.length > 0) return nothing(problems.join(' '));
  const inForce = others.filter((one) => isInForce(one, now));
  if (inForce.length >= MOST_RULES) {
    return nothing(`It has ${MOST_RULES} rules already.`, 'Write what is to stay into the config.');
  }
  const silences = [...inForce, rule];
  const decided =
    stored === undefined
      ? { changes: { silences }, report: false }
      : decideRules(project, silences, { stored, now, seal });
  const { id: _, ...detail } = rule;
  return {
    kind: 'done',
    decision: { ...decided, report: true, audit: { actor: actor.login, event: EVENTS[rule.kind], detail } },
    sentence: sentences.join(' '),
  };
}

const EVENTS: Readonly<Record<SilenceRule['kind'], string>> = {
  acknowledge: 'acknowledged',
  snooze: 'snoozed',
  ignore: 'ignored',
};
