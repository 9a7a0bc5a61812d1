import { quoteWord } from '../../lib/shell-words.ts';
import { type ActorPermission, refuseActor } from '../actor-rules.ts';
import type { Requirement } from '../project.ts';
import type { Account } from '../pull-request.ts';
import type { UnmetRequirement } from '../reply.ts';
import type { DifferenceKind, DriftFindings, ResourceDifference } from './drift.ts';
import type { DriftMode } from './settings.ts';
import { isSuspended, type Suspension } from './skip.ts';
import { whoText } from './who.ts';

/** A person as the host and the server's rules know them now. */
export interface Person extends ActorPermission {
  readonly account: Account;
}

/** Everything the gate looks at: before a remediation is begun with what is on record, and again with its own plan before that is applied. */
export interface RemediationFacts {
  readonly now: Date;
  readonly title: string;
  /** The trigger word, for the commands that people are told to type. */
  readonly trigger: string;
  readonly actor: Person;
  readonly mode: DriftMode;
  /** The project is on the tracked branch, and its repository is neither archived nor gone. */
  readonly listed: boolean;
  readonly applicable: { readonly ok: true } | { readonly ok: false; readonly reason: string; readonly next: string };
  /** Of an apply. Only `approved` has a meaning without a pull request. */
  readonly requirements: readonly Requirement[];
  readonly approvals: readonly { readonly by: Person; readonly fingerprint: string }[];
  readonly suspension: Suspension | undefined;
  /** Who holds the project lock. */
  readonly lock: { readonly number: number; readonly who: string } | undefined;
  readonly applying: boolean;
  /** Of the drift that the actor saw; undefined: none is reported. */
  readonly wanted: string | undefined;
  readonly seen: {
    /** Of what is left after the project's silence rules, as `wanted` is. */
    readonly fingerprint: string | undefined;
    /** Without them, for an apply knows none. */
    readonly found: DriftFindings;
  };
  /** Addresses whose real objects may be deleted. */
  readonly destroys: readonly string[];
}

type Rule = (facts: RemediationFacts) => UnmetRequirement | readonly UnmetRequirement[] | undefined;

/** Everything that stands between a drift and its being put right, all at once, in the order in which people would deal with it. */
export function findUnmetForRemediation(facts: RemediationFacts): readonly UnmetRequirement[] {
  return RULES.flatMap((rule) => rule(facts) ?? []);
}

const unmet = ({ title: project }: RemediationFacts, what: string, next: string): UnmetRequirement => ({
  project,
  what,
  next,
});

const modeAllows: Rule = (facts) =>
  facts.mode === 'off'
    ? unmet(
        facts,
        'its drift is not put right from here: its mode is `off`',
        'Open a pull request, or have `drift.mode` set to `report`.',
      )
    : undefined;

const onBranch: Rule = (facts) =>
  facts.listed
    ? undefined
    : unmet(facts, 'it is not on the tracked branch any more, or its repository is archived', 'Bring it back first.');

const actorMay: Rule = ({ actor }) => refuseActor('apply', actor.account, actor);

const applicable: Rule = (facts) =>
  facts.applicable.ok ? undefined : unmet(facts, facts.applicable.reason, facts.applicable.next);

const notSuspended: Rule = (facts) =>
  isSuspended(facts.suspension, facts.now)
    ? unmet(
        facts,
        `${whoText(facts.suspension.by)} suspended it: ${facts.suspension.reason}`,
        `Talk to them, or comment \`${facts.trigger} drift resume\`.`,
      )
    : undefined;

const notLocked: Rule = (facts) =>
  facts.lock === undefined
    ? undefined
    : unmet(
        facts,
        `it is locked by #${facts.lock.number} (${facts.lock.who})`,
        `Wait until #${facts.lock.number} is merged or closed, or have it unlocked there with \`${facts.trigger} unlock\`.`,
      );

const notApplying: Rule = (facts) =>
  facts.applying ? unmet(facts, 'it is being applied at this moment', 'Wait for the end of it.') : undefined;

const isThere: Rule = (facts) => {
  const { wanted, seen } = facts;
  if (wanted === undefined) return unmet(facts, 'no drift of it is reported', runAgain(facts));
  if (seen.fingerprint === wanted) return undefined;
  return seen.fingerprint === undefined
    ? unmet(facts, 'the drift is gone', 'Nothing has to be done.')
    : unmet(
        facts,
        `the drift is another one now: ${seen.fingerprint} instead of ${wanted}`,
        'Read the report, which will show it in a moment, and say it again.',
      );
};

const approved: Rule = (facts) => {
  const { requirements, approvals, actor, wanted, trigger } = facts;
  if (!requirements.includes('approved') || wanted === undefined) return undefined;
  const counts = approvals.some(
    ({ by, fingerprint }) =>
      fingerprint === wanted && by.account.id !== actor.account.id && refuseActor('apply', by.account, by).length === 0,
  );
  return counts
    ? undefined
    : unmet(
        facts,
        'it is not approved: an approval counts from a second person who may apply, for this very drift',
        `Ask somebody else to comment \`${trigger} approve ${wanted}\`.`,
      );
};

const baselineKnown: Rule = (facts) =>
  facts.seen.found.inputs === 'unknown'
    ? unmet(
        facts,
        'nobody knows what of it was applied last: no apply and no check without a finding is on record',
        'Apply it once through a pull request.',
      )
    : undefined;

const wholePlan: Rule = (facts) =>
  facts.seen.found.complete
    ? undefined
    : unmet(
        facts,
        'its plan leaves something out, so nobody knows what an apply would come to',
        'Take `-target` and the like out of its workflow, or apply it through a pull request.',
      );

const NOT_DRIFT: readonly DifferenceKind[] = ['pending', 'baseline_unknown', 'external'];

const nothingElse: Rule = (facts) => {
  const { found } = facts.seen;
  const resources = found.resources.filter((resource) => changesMore(resource, found)).map(({ address }) => address);
  const outputs = found.outputs.filter(({ kind }) => NOT_DRIFT.includes(kind)).map(({ name }) => `output.${name}`);
  const others = [...resources, ...outputs];
  return others.length === 0
    ? undefined
    : unmet(
        facts,
        `an apply would do more than put the drift right: ${list(others)} would change because of the code or of what it reads`,
        'Apply that through a pull request; the drift goes with it.',
      );
};

/** Whether an apply would bring something to it that is no drift: a commit that waits, or what the code reads. */
function changesMore(resource: ResourceDifference, { inputs }: DriftFindings): boolean {
  if (resource.action === undefined) return false;
  const kinds = [resource.kind, ...resource.attributes.map(({ kind }) => kind)];
  const thirdValue = kinds.includes('conflict') || resource.attributesLeftOut > 0;
  return kinds.some((kind) => NOT_DRIFT.includes(kind)) || (thirdValue && inputs !== 'unchanged');
}

const destroysNamed: Rule = (facts) => {
  const { seen, destroys, trigger } = facts;
  const unnamed = seen.found.resources
    .filter(({ destructive, address }) => destructive && !destroys.includes(address))
    .map(({ address }) => address);
  if (unnamed.length === 0) return undefined;
  const named = [...destroys, ...unnamed];
  const flags = named.map((address) => `--allow-destroy ${quoteWord(address)}`).join(' ');
  return unmet(
    facts,
    `it would delete ${list(unnamed)}, and nobody said that it may`,
    named.length > MOST_NAMES
      ? 'So much is better applied through a pull request.'
      : `If it may: \`${trigger} apply ${flags}\`.`,
  );
};

/** One rule each; the mutation tests take them out one by one. */
const RULES: readonly Rule[] = [
  modeAllows,
  onBranch,
  actorMay,
  applicable,
  notSuspended,
  notLocked,
  notApplying,
  isThere,
  approved,
  baselineKnown,
  wholePlan,
  nothingElse,
  destroysNamed,
];

const MOST_NAMES = 10;

function list(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).map((name) => `\`${name}\``);
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

function runAgain({ trigger }: RemediationFacts): string {
  return `Comment \`${trigger} drift run\` to have it checked.`;
}
