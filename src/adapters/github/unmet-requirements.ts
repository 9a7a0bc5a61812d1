import type { BranchRequirements } from './branch-requirements.ts';
import type { MergeFacts, ReportedCheck, RequiredCheck } from './merge-facts.ts';

/** Which checks are ours: names compared without case, as GitHub does. */
export interface OwnChecks {
  readonly names: readonly string[];
  readonly appId: string | undefined;
}

/** Answers that cost another call and are asked only when a requirement needs them. */
export interface ExtraFacts {
  /** Commits of the base that the head lacks. */
  readonly behindBy: number;
  readonly unsignedCommits: number;
}

export interface Unmet {
  /** Each in words, with what to do; empty when only our own checks are missing. */
  readonly reasons: readonly string[];
  /** Whether a check of ours is required and not green yet, which explains a block. */
  readonly ownMissing: boolean;
}

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

function isOwn(check: RequiredCheck, own: OwnChecks): boolean {
  if (!own.names.some((name) => same(name, check.name))) return false;
  return check.appId === undefined || check.appId === own.appId;
}

/** Of several runs of one name by one App the newest counts. */
function newest(checks: readonly ReportedCheck[]): readonly ReportedCheck[] {
  const latest = new Map<string, ReportedCheck>();
  for (const check of checks) {
    const key = `${check.kind} ${check.appId ?? ''} ${check.workflowPath ?? ''}`;
    const other = latest.get(key);
    if (!other || check.order >= other.order) latest.set(key, check);
  }
  return [...latest.values()];
}

type Outcome = 'passed' | 'missing' | 'failed' | 'unproven';

/** When a run and a status bear the required name, both are required; a check that is absent has not passed. */
function outcomeOf(required: RequiredCheck, reported: readonly ReportedCheck[]): Outcome {
  const named = newest(reported.filter((check) => same(check.name, required.name)));
  const counted = named.filter((check) => required.appId === undefined || check.appId === required.appId);
  if (counted.length > 0) return counted.every((check) => check.passed) ? 'passed' : 'failed';
  return required.appId !== undefined && named.some((check) => check.kind === 'status' && check.passed)
    ? 'unproven'
    : 'missing';
}

const CHECK_REASONS: Readonly<Record<Exclude<Outcome, 'passed'>, string>> = {
  missing: 'has not been reported on the head commit',
  failed: 'is not green',
  unproven: 'was reported as a status, which does not prove the App that the rule asks for',
};

function checkReasons(required: readonly RequiredCheck[], facts: MergeFacts): readonly string[] {
  return required.flatMap((check) => {
    const outcome = outcomeOf(check, facts.checks);
    return outcome === 'passed' ? [] : [`the required check "${check.name}" ${CHECK_REASONS[outcome]}`];
  });
}

function workflowReasons(paths: readonly string[], facts: MergeFacts): readonly string[] {
  return paths.flatMap((path) => {
    const runs = facts.checks.filter((check) => check.workflowPath === path);
    const byName = new Map<string, ReportedCheck>();
    for (const run of runs) {
      if ((byName.get(run.name)?.order ?? -1) <= run.order) byName.set(run.name, run);
    }
    if (byName.size === 0) return [`the required workflow "${path}" has not run on the head commit`];
    return [...byName.values()].every((run) => run.passed) ? [] : [`the required workflow "${path}" is not green`];
  });
}

function reviewReasons(needs: BranchRequirements, facts: MergeFacts): readonly string[] {
  if (facts.reviewDecision === 'CHANGES_REQUESTED') return ['a reviewer has asked for changes'];
  if (facts.reviewDecision === 'REVIEW_REQUIRED') return ['a required review is missing'];
  if (facts.approvals < needs.approvals) {
    return [`${needs.approvals} approvals are required, there are ${facts.approvals}`];
  }
  if (facts.reviewDecision === 'APPROVED') return [];
  return needs.reviewConditions.map(
    (condition) => `${condition} is required, and GitHub does not say whether it was given`,
  );
}

function otherReasons(needs: BranchRequirements, facts: MergeFacts, extra: ExtraFacts): readonly string[] {
  const { unresolvedThreads } = facts;
  return [
    needs.upToDate && extra.behindBy > 0 ? `the branch is ${extra.behindBy} commits behind its base: update it` : '',
    needs.threadsResolved && unresolvedThreads > 0 ? `${unresolvedThreads} conversations are not resolved` : '',
    needs.signatures && extra.unsignedCommits > 0 ? `${extra.unsignedCommits} commits have no verified signature` : '',
    needs.locked ? 'the base branch is locked' : '',
    ...needs.deployments.map((name) => `a deployment to "${name}" is required, which cannot be verified here`),
    ...needs.unreadable.map((type) => `the branch rule "${type}" cannot be verified here`),
  ].filter((reason) => reason !== '');
}

/** What stands in the way of a merge, our own checks left out. */
export function unmetRequirements(
  needs: BranchRequirements,
  facts: MergeFacts,
  own: OwnChecks,
  extra: ExtraFacts,
): Unmet {
  const ours = needs.checks.filter((check) => isOwn(check, own));
  const others = needs.checks.filter((check) => !isOwn(check, own));
  return {
    ownMissing: ours.some((check) => outcomeOf(check, facts.checks) !== 'passed'),
    reasons: [
      ...checkReasons(others, facts),
      ...workflowReasons(needs.workflows, facts),
      ...reviewReasons(needs, facts),
      ...otherReasons(needs, facts, extra),
    ],
  };
}
