import { globMatches, type IgnoreRule, isIgnoredBy } from '../canonical-plan.ts';
import { type DriftFindings, gravest, type OutputDifference, type ResourceDifference, syncOf } from './drift.ts';
import { fingerprintDrift, fingerprintResource } from './fingerprint.ts';

interface Said {
  readonly id: string;
  /** Login. */
  readonly by: string;
  readonly reason: string | undefined;
}

/** Somebody has seen a drift and lives with it: it is not reported again until it is another. */
export interface Acknowledgement extends Said {
  readonly kind: 'acknowledge';
  /** Of a project's drift, or of one resource's. */
  readonly fingerprint: string;
}

/** Nothing is reported until then. */
export interface Snooze extends Said {
  readonly kind: 'snooze';
  /** undefined: whatever drifts in the project. */
  readonly fingerprint: string | undefined;
  readonly until: Date;
}

/**
 * Attributes that do not count as differing; the rest of the resource does. That an object is missing, new or to be deleted is no
 * attribute: that can be acknowledged, not ignored. Holds for what is reported alone: Terraform applies a plan as a whole.
 */
export interface IgnoredAttributes extends IgnoreRule {
  readonly kind: 'ignore';
  readonly id: string;
  readonly reason: string;
  /** Who to ask. */
  readonly owner: string;
  readonly expires: Date;
}

export type SilenceRule = Acknowledgement | Snooze | IgnoredAttributes;

/** So that no rule is forgotten for ever. */
export const LONGEST_SILENCE_DAYS = 366;
const DAY_MS = 86_400_000;
const TEXT_LENGTH = 500;

/** An attribute that differs and does not count. */
export interface IgnoredPlace {
  /** Id of the rule. */
  readonly rule: string;
  readonly address: string;
  readonly path: string;
}

/** What is left to tell. */
export interface Silenced {
  /** As if what is ignored were not there: when nothing else differs, there is nothing to report and nothing to put right. */
  readonly findings: DriftFindings;
  /** What is not in `findings` for that reason; an apply would change it all the same. */
  readonly ignored: readonly IgnoredPlace[];
  /** Set when nobody is to be told of what is left in `findings`. */
  readonly quiet: Quiet | undefined;
}

export interface Quiet {
  readonly rules: readonly (Acknowledgement | Snooze)[];
  /** undefined: until the drift changes. */
  readonly until: Date | undefined;
}

/** Whether a rule still counts. */
export function isInForce(rule: SilenceRule, now: Date): boolean {
  if (rule.kind === 'acknowledge') return true;
  return (rule.kind === 'snooze' ? rule.until : rule.expires) > now;
}

/** @param rules of this project; those that have expired do not count. */
export function silence(findings: DriftFindings, rules: readonly SilenceRule[], now: Date): Silenced {
  const inForce = rules.filter((rule) => isInForce(rule, now));
  const ignoring = inForce.filter((rule) => rule.kind === 'ignore');
  const resources = findings.resources.map((resource) => withoutIgnored(resource, ignoring));
  const outputs = findings.outputs.map((output) => ({ output, ignored: ignoredOutput(output, ignoring) }));
  const content = {
    complete: findings.complete,
    resources: resources.flatMap(({ left }) => left ?? []),
    outputs: outputs.flatMap(({ output, ignored }) => (ignored === undefined ? output : [])),
  };
  const left = { ...findings, ...content, sync: syncOf(content), fingerprint: fingerprintDrift(content.resources) };
  return {
    findings: left,
    ignored: [...resources, ...outputs].flatMap(({ ignored }) => ignored ?? []),
    quiet: findQuiet(
      left,
      inForce.filter((rule) => rule.kind !== 'ignore'),
    ),
  };
}

interface Remainder {
  readonly left: ResourceDifference | undefined;
  readonly ignored: readonly IgnoredPlace[];
}

function withoutIgnored(resource: ResourceDifference, rules: readonly IgnoredAttributes[]): Remainder {
  const { address, action } = resource;
  const matching = rules.filter((rule) => globMatches(rule.address, address));
  if (matching.length === 0) return { left: resource, ignored: [] };
  const judged = resource.attributes.map((attribute) => ({
    attribute,
    rule: attribute.path === '' ? undefined : matching.find((rule) => isIgnoredBy(rule, attribute.path)),
  }));
  const ignored = judged.flatMap(({ rule, attribute: { path } }) => (rule ? [{ rule: rule.id, address, path }] : []));
  const attributes = judged.flatMap(({ rule, attribute }) => (rule ? [] : [attribute]));
  // Nobody has looked at those left out, so what they made of the resource stays.
  if (resource.attributesLeftOut > 0) return { left: { ...resource, attributes }, ignored };
  const kind = gravest(attributes.map((attribute) => attribute.kind));
  const fingerprint = fingerprintResource(address, action, attributes);
  return { left: kind && { ...resource, attributes, kind, fingerprint }, ignored };
}

/** The address is `output.NAME` and the attribute `value`, as in the comparison of plans. */
function ignoredOutput({ name }: OutputDifference, rules: readonly IgnoredAttributes[]): IgnoredPlace | undefined {
  const address = `output.${name}`;
  const rule = rules.find((one) => globMatches(one.address, address) && isIgnoredBy(one, 'value'));
  return rule && { rule: rule.id, address, path: 'value' };
}

type Quieting = Acknowledgement | Snooze;

/** All of the drift is known by its own fingerprint, or each of its resources by one. */
function findQuiet({ fingerprint, resources }: DriftFindings, rules: readonly Quieting[]): Quiet | undefined {
  const asWhole = longest(rules.filter((rule) => rule.fingerprint === undefined || rule.fingerprint === fingerprint));
  if (asWhole !== undefined) return { rules: [asWhole], until: endOf(asWhole) };
  const drifting = resources.flatMap((resource) => resource.fingerprint ?? []);
  const found = drifting.map((one) => longest(rules.filter((rule) => rule.fingerprint === one)));
  const known = found.filter((rule) => rule !== undefined);
  if (known.length === 0 || known.length < found.length) return undefined;
  return { rules: [...new Set(known)], until: earliest(known.map(endOf)) };
}

/** undefined: without an end. */
function endOf(rule: Quieting): Date | undefined {
  return rule.kind === 'snooze' ? rule.until : undefined;
}

function longest(rules: readonly Quieting[]): Quieting | undefined {
  const time = (rule: Quieting) => endOf(rule)?.getTime() ?? Number.POSITIVE_INFINITY;
  return rules.toSorted((left, right) => time(right) - time(left) || 0)[0];
}

function earliest(ends: readonly (Date | undefined)[]): Date | undefined {
  return ends.filter((end) => end !== undefined).toSorted((left, right) => left.getTime() - right.getTime())[0];
}

/** Why a rule may not be made, in sentences; empty: it may. */
export function silenceRuleProblems(rule: SilenceRule, now: Date): readonly string[] {
  const texts = textsOf(rule);
  const blank = Object.keys(texts).filter((name) => texts[name]?.trim() === '');
  const long = Object.keys(texts).filter((name) => (texts[name]?.length ?? 0) > TEXT_LENGTH);
  return [
    ...blank.map((name) => `The ${name} is missing.`),
    ...long.map((name) => `The ${name} may have ${TEXT_LENGTH} characters at most.`),
    ...(rule.kind === 'acknowledge' ? [] : endProblems(rule.kind === 'snooze' ? rule.until : rule.expires, now)),
  ];
}

function textsOf(rule: SilenceRule): Readonly<Record<string, string | undefined>> {
  if (rule.kind !== 'ignore') return { fingerprint: rule.fingerprint, reason: rule.reason };
  const { address, attribute, reason, owner } = rule;
  return { 'address glob': address, 'attribute glob': attribute, reason, owner };
}

function endProblems(end: Date, now: Date): readonly string[] {
  if (!(end > now)) return ['The time at which it ends must lie in the future.'];
  if (end.getTime() - now.getTime() <= LONGEST_SILENCE_DAYS * DAY_MS) return [];
  return [`It may last for ${LONGEST_SILENCE_DAYS} days at most; make it anew when it has ended.`];
}
