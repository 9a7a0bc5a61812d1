import { z } from 'zod';
import type { PlanAction, PlanCounts, PlanSummary, ResourceChange } from './plan.ts';

/** `show -json` said something that cannot be relied on. The message is for people. */
export class PlanFormatError extends Error {
  override readonly name = 'PlanFormatError';
}

const change = z.looseObject({
  actions: z.array(z.string()),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
  after_unknown: z.unknown().optional(),
  before_sensitive: z.unknown().optional(),
  after_sensitive: z.unknown().optional(),
  replace_paths: z.array(z.unknown()).nullish(),
  importing: z.looseObject({ id: z.unknown().optional() }).nullish(),
});

const resourceChange = z.looseObject({
  address: z.string(),
  previous_address: z.string().optional(),
  mode: z.string().optional(),
  type: z.string(),
  deposed: z.string().optional(),
  action_reason: z.string().optional(),
  change,
});

const check = z.looseObject({
  address: z.looseObject({ kind: z.string().optional(), to_display: z.string() }),
  status: z.string(),
  instances: z
    .array(z.looseObject({ problems: z.array(z.looseObject({ message: z.string().optional() })).nullish() }))
    .nullish(),
});

const planJson = z.looseObject({
  format_version: z.string(),
  errored: z.boolean().optional(),
  complete: z.boolean().optional(),
  variables: z.record(z.string(), z.looseObject({ value: z.unknown().optional() })).optional(),
  resource_changes: z.array(resourceChange).optional(),
  resource_drift: z.array(resourceChange).optional(),
  output_changes: z.record(z.string(), change).optional(),
  relevant_attributes: z.unknown().optional(),
  action_invocations: z.array(z.unknown()).optional(),
  checks: z.array(check).nullish(),
  prior_state: z.unknown().optional(),
  planned_values: z.unknown().optional(),
  configuration: z.unknown().optional(),
});

/**
 * What is read of `terraform show -json PLANFILE`, in Terraform's own names; all else is kept and ignored.
 * Nothing in it is masked: secrets stand in clear.
 * Source: "JSON Output Format", plan representation, format version 1.x.
 */
export type PlanJson = z.infer<typeof planJson>;
export type ResourceChangeJson = z.infer<typeof resourceChange>;
export type ChangeJson = z.infer<typeof change>;

const FORMAT_MAJOR = '1';
/** Beyond this many characters a number may not survive as a double. */
const EXACT_NUMBER_LENGTH = 15;

/** @throws PlanFormatError when the text is no plan, of another major format, or of a plan that failed. */
export function parsePlanJson(text: string): PlanJson {
  const raw = parseJson(text);
  const version = formatVersion(raw);
  if (version?.split('.')[0] !== FORMAT_MAJOR) {
    const said = version === undefined ? 'no format version' : `format version ${version.slice(0, 20)}`;
    throw new PlanFormatError(
      `"show -json" answered with ${said}, but only ${FORMAT_MAJOR}.x is understood. Use a Terraform or OpenTofu release that writes it.`,
    );
  }
  const parsed = planJson.safeParse(raw);
  if (!parsed.success) {
    const where = parsed.error.issues[0]?.path.join('.') ?? '';
    throw new PlanFormatError(`"show -json" answered with a plan that is not as documented (at "${where}").`);
  }
  if (parsed.data.errored === true) {
    throw new PlanFormatError('The plan file holds a plan that failed halfway; it cannot be relied on.');
  }
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text, keepLongNumbers);
  } catch {
    throw new PlanFormatError('"show -json" did not answer with JSON.');
  }
}

/** Two 17-digit numbers that differ in the last digit are one double; kept as text they stay two. */
function keepLongNumbers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number') return value;
  return (context?.source?.length ?? 0) > EXACT_NUMBER_LENGTH ? context?.source : value;
}

function formatVersion(raw: unknown): string | undefined {
  const parsed = z.looseObject({ format_version: z.string() }).safeParse(raw);
  return parsed.success ? parsed.data.format_version : undefined;
}

/** The object a change is about: a deposed one lives beside the current one of the same address. */
export function changeAddress(change: ResourceChangeJson): string {
  return change.deposed === undefined ? change.address : `${change.address} (deposed ${change.deposed})`;
}

/** False for what the plan lists but leaves as it is. */
export function hasEffect({ change, previous_address }: ResourceChangeJson): boolean {
  return !isNoOp(change) || previous_address !== undefined || isImport(change);
}

export function isNoOp({ actions }: ChangeJson): boolean {
  return actions.length === 1 && actions[0] === 'no-op';
}

export function isImport({ importing }: ChangeJson): boolean {
  return importing !== undefined && importing !== null;
}

export function summarizePlan(plan: PlanJson, canonicalDigest: string): PlanSummary {
  const effective = (plan.resource_changes ?? []).filter(hasEffect);
  const outputs = Object.values(plan.output_changes ?? {}).filter((output) => !isNoOp(output)).length;
  const changes = effective.map(toResourceChange);
  return {
    empty: changes.length === 0 && outputs === 0 && (plan.action_invocations ?? []).length === 0,
    counts: countChanges(effective, outputs),
    changes,
    drifted: (plan.resource_drift ?? []).filter(({ change }) => !isNoOp(change)).map(changeAddress),
    checks: (plan.checks ?? []).flatMap(checkSentences),
    canonicalDigest,
  };
}

function toResourceChange(entry: ResourceChangeJson): ResourceChange {
  return {
    address: changeAddress(entry),
    previousAddress: entry.previous_address,
    type: entry.type,
    action: planAction(entry),
    reason: entry.action_reason,
  };
}

/** @throws PlanFormatError for an action that nobody here knows. */
export function planAction({ change, previous_address }: ResourceChangeJson): PlanAction {
  const actions = new Set(change.actions);
  if (actions.has('create') && actions.has('delete')) return 'replace';
  for (const action of ['create', 'delete', 'update', 'read', 'forget'] as const) {
    if (actions.has(action)) return action;
  }
  if (isImport(change)) return 'import';
  if (previous_address !== undefined) return 'move';
  throw new PlanFormatError(
    `The plan has an action that is not known here: ${change.actions.join(', ').slice(0, 60)}.`,
  );
}

function countChanges(effective: readonly ResourceChangeJson[], outputs: number): PlanCounts {
  const having = (...actions: string[]) =>
    effective.filter(({ change }) => actions.every((action) => change.actions.includes(action))).length;
  return {
    add: having('create'),
    change: having('update'),
    destroy: having('delete'),
    replace: having('create', 'delete'),
    import: effective.filter(({ change }) => isImport(change)).length,
    move: effective.filter(({ previous_address }) => previous_address !== undefined).length,
    forget: having('forget'),
    outputs,
  };
}

/** Conditions of resources are unknown in any plan that creates something, so only `check` blocks are reported for that. */
function checkSentences(entry: z.infer<typeof check>): readonly string[] {
  const name = entry.address.to_display;
  if (entry.status === 'unknown' && entry.address.kind === 'check') {
    return [`${name}: will be known only after the apply`];
  }
  return problemSentences(entry);
}

/** What did not hold when the plan was made, one sentence each. */
export function failedChecks(plan: PlanJson): readonly string[] {
  return (plan.checks ?? []).flatMap(problemSentences);
}

function problemSentences(entry: z.infer<typeof check>): readonly string[] {
  const name = entry.address.to_display;
  if (entry.status !== 'fail' && entry.status !== 'error') return [];
  const messages = (entry.instances ?? []).flatMap(({ problems }) => (problems ?? []).map(({ message }) => message));
  const said = messages.filter((message) => message !== undefined);
  const outcome = entry.status === 'fail' ? 'failed' : 'could not be evaluated';
  return said.length === 0 ? [`${name}: ${outcome}`] : said.map((message) => `${name}: ${message}`);
}

interface ModuleValues {
  readonly resources?: readonly unknown[];
  readonly child_modules?: readonly ModuleValues[];
}

/** How many resource instances the state had before this plan; what "refreshed n of m" counts up to next time. */
export function countStateResources(plan: PlanJson): number {
  const state = plan.prior_state as { readonly values?: { readonly root_module?: ModuleValues } } | undefined;
  const count = (module: ModuleValues | undefined): number =>
    (module?.resources ?? []).length + (module?.child_modules ?? []).reduce((sum, child) => sum + count(child), 0);
  return count(state?.values?.root_module);
}
