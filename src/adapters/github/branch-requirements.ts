import { z } from 'zod';
import type { BranchRule, Protection, RequiredCheck } from './merge-facts.ts';

/** What classic protection and all rulesets ask together. */
export interface BranchRequirements extends Protection {
  readonly approvals: number;
  /** Conditions on reviews that only `reviewDecision` can answer. */
  readonly reviewConditions: readonly string[];
  /** Workflow files that must have run green. */
  readonly workflows: readonly string[];
  /** Rules whose fulfilment cannot be read through the API. */
  readonly unreadable: readonly string[];
}

/** Rules about how commits and branches may be pushed; they say nothing about whether this pull request can be merged. */
const NOT_ABOUT_MERGING: ReadonlySet<string> = new Set([
  'creation',
  'deletion',
  'non_fast_forward',
  'required_linear_history',
  'merge_queue',
  'commit_message_pattern',
  'commit_author_email_pattern',
  'committer_email_pattern',
  'branch_name_pattern',
  'tag_name_pattern',
  'file_path_restriction',
  'max_file_path_length',
  'file_extension_restriction',
  'max_file_size',
  'copilot_code_review',
]);

const statusChecks = z.object({
  required_status_checks: z
    .array(z.object({ context: z.string(), integration_id: z.number().nullish() }))
    .optional()
    .default([]),
  strict_required_status_checks_policy: z.boolean().optional().default(false),
});

const pullRequest = z.object({
  required_approving_review_count: z.number().optional().default(0),
  require_code_owner_review: z.boolean().optional().default(false),
  require_last_push_approval: z.boolean().optional().default(false),
  required_review_thread_resolution: z.boolean().optional().default(false),
  required_reviewers: z.array(z.unknown()).optional().default([]),
});

const workflows = z.object({
  workflows: z
    .array(z.object({ path: z.string() }))
    .optional()
    .default([]),
});

const deployments = z.object({ required_deployment_environments: z.array(z.string()).optional().default([]) });

type Part = Partial<BranchRequirements>;

function ofStatusChecks(parameters: unknown): Part {
  const rule = statusChecks.parse(parameters ?? {});
  const checks: RequiredCheck[] = rule.required_status_checks.map((check) => ({
    name: check.context,
    appId: check.integration_id && check.integration_id > 0 ? String(check.integration_id) : undefined,
  }));
  return { checks, upToDate: rule.strict_required_status_checks_policy };
}

function ofPullRequest(parameters: unknown): Part {
  const rule = pullRequest.parse(parameters ?? {});
  const reviewConditions = [
    rule.require_code_owner_review ? 'a review by a code owner' : '',
    rule.require_last_push_approval ? 'an approval by somebody other than the last pusher' : '',
    rule.required_reviewers.length > 0 ? 'reviews by the required reviewers' : '',
  ].filter((condition) => condition !== '');
  return {
    approvals: rule.required_approving_review_count,
    threadsResolved: rule.required_review_thread_resolution,
    reviewConditions,
  };
}

const RULES: ReadonlyMap<string, (parameters: unknown) => Part> = new Map([
  ['required_status_checks', ofStatusChecks],
  ['pull_request', ofPullRequest],
  [
    'workflows',
    (parameters: unknown): Part => ({
      workflows: workflows.parse(parameters ?? {}).workflows.map((each) => each.path),
    }),
  ],
  [
    'required_deployments',
    (parameters: unknown): Part => ({
      deployments: deployments.parse(parameters ?? {}).required_deployment_environments,
    }),
  ],
  ['required_signatures', (): Part => ({ signatures: true })],
]);

function ofRule(rule: BranchRule): Part {
  const known = RULES.get(rule.type);
  if (known) return known(rule.parameters);
  return NOT_ABOUT_MERGING.has(rule.type) ? {} : { unreadable: [rule.type] };
}

/** Adds up classic protection and the active rules; a rule type that is not known is kept as unreadable, so that it blocks. */
export function branchRequirements(protection: Protection | null, rules: readonly BranchRule[]): BranchRequirements {
  const parts: Part[] = [protection ?? {}, ...rules.map(ofRule)];
  return {
    checks: parts.flatMap((part) => part.checks ?? []),
    upToDate: parts.some((part) => part.upToDate === true),
    threadsResolved: parts.some((part) => part.threadsResolved === true),
    signatures: parts.some((part) => part.signatures === true),
    deployments: parts.flatMap((part) => part.deployments ?? []),
    locked: parts.some((part) => part.locked === true),
    approvals: Math.max(0, ...parts.map((part) => part.approvals ?? 0)),
    reviewConditions: [...new Set(parts.flatMap((part) => part.reviewConditions ?? []))],
    workflows: parts.flatMap((part) => part.workflows ?? []),
    unreadable: [...new Set(parts.flatMap((part) => part.unreadable ?? []))],
  };
}
