import { refuseActor } from './actor-rules.ts';
import type { Account, Permission, PullRequest } from './pull-request.ts';
import type { Project } from './project.ts';
import type { PlanRecord } from './record.ts';
import type { UnmetRequirement } from './reply.ts';
import { approved, CONFLICT, mergeable, type ReviewRuleFacts } from './review-rules.ts';

/** Everything the gate looks at, asked from the host and the record at the moment of the apply. */
export interface ApplyFacts extends Omit<ReviewRuleFacts, 'requirements'> {
  readonly actor: Account;
  readonly actorPermission: Permission;
  /** The server's rules narrow who may apply here, beyond the permission; `undefined` when they allow it. */
  readonly actorRefusal: string | undefined;
  readonly project: Pick<Project, 'dir' | 'workspace' | 'name' | 'applyRequirements' | 'dependsOn'>;
  readonly title: string;
  /** The current plan of this project and pull request. */
  readonly plan: Pick<PlanRecord, 'headSha' | 'baseRef' | 'inputsDigest'> | undefined;
  /** That plan was asked for after the apply was: whoever asked has not seen it. */
  readonly plannedSinceAsked: boolean;
  /** Digest of the project's inputs as they would be merged now; undefined when they cannot be merged. */
  readonly inputsDigestNow: string | undefined;
  /** Whether the base branch's tip differs, in the project's inputs, from the base the plan was made with. */
  readonly baseMoved: boolean;
  readonly lockHolder: { readonly number: number; readonly who: string } | undefined;
  /** Names of projects this one depends on that have a plan in this pull request which is not applied. */
  readonly unappliedDependencies: readonly string[];
  readonly forkAllowed: boolean;
  readonly applicable: { readonly ok: true } | { readonly ok: false; readonly reason: string; readonly next: string };
  /** The trigger word, for the commands that people are told to type. */
  readonly trigger: string;
}

type Rule = (facts: ApplyFacts) => UnmetRequirement | readonly UnmetRequirement[] | undefined;

/** Every requirement that is not met, all at once, in the order in which people would deal with them. */
export function findUnmetRequirements(facts: ApplyFacts): readonly UnmetRequirement[] {
  return RULES.flatMap((rule) => rule(facts) ?? []);
}

/** Those that are known from the pull request itself, without asking the host again: people can see to them before they apply. */
export function foreseeUnmetRequirements(pull: PullRequest): readonly UnmetRequirement[] {
  return [notDraft({ pull }), notFromFork({ pull, forkAllowed: false })].filter((one) => one !== undefined);
}

/** Why a plan is not one for where the pull request goes now; `undefined` when it is. */
export function explainOtherBase(plan: Pick<PlanRecord, 'baseRef'>, pull: PullRequest): string | undefined {
  if (plan.baseRef === pull.baseRef) return undefined;
  return `the plan was made for the base branch \`${plan.baseRef}\`, and the pull request now goes into \`${pull.baseRef}\``;
}

const unmet = (facts: ApplyFacts, what: string, next: string): UnmetRequirement => ({
  project: facts.title,
  what,
  next,
});

const everywhere = (what: string, next: string): UnmetRequirement => ({ project: undefined, what, next });

const pullRequestOpen: Rule = ({ pull }) =>
  pull.state === 'open'
    ? undefined
    : everywhere(`the pull request is ${pull.state}`, 'Reopen it, or make the change in a new pull request.');

const notDraft = ({ pull }: Pick<ApplyFacts, 'pull'>) =>
  pull.draft ? everywhere('the pull request is a draft', 'Mark it as ready for review.') : undefined;

const notFromFork = ({ pull, forkAllowed }: Pick<ApplyFacts, 'pull' | 'forkAllowed'>) =>
  pull.fork && !forkAllowed
    ? everywhere(
        'the pull request comes from a fork, and code from a fork is never applied',
        'Push the branch to this repository and open a pull request from there.',
      )
    : undefined;

const actorMay: Rule = ({ actor, actorPermission, actorRefusal }) =>
  refuseActor('apply', actor, { permission: actorPermission, refusal: actorRefusal });

const applicable: Rule = (facts) =>
  facts.applicable.ok ? undefined : unmet(facts, facts.applicable.reason, facts.applicable.next);

const planExists: Rule = (facts) =>
  facts.plan === undefined
    ? unmet(facts, 'there is no plan to apply', `Comment \`${facts.trigger} plan\`.`)
    : undefined;

const planCurrent: Rule = (facts) => {
  if (facts.plan === undefined) return undefined;
  // Another branch may ask for other things of the same files, and its state may be another one.
  const otherBase = explainOtherBase(facts.plan, facts.pull);
  if (otherBase !== undefined)
    return unmet(facts, otherBase, `Comment \`${facts.trigger} plan\` and read the new plan.`);
  if (facts.plan.headSha === facts.pull.headSha) return undefined;
  if (facts.inputsDigestNow === facts.plan.inputsDigest) return undefined;
  return unmet(
    facts,
    `the plan is of commit ${short(facts.plan.headSha)}, and the pull request is now at ${short(facts.pull.headSha)}`,
    `Comment \`${facts.trigger} plan\` and read the new plan.`,
  );
};

const planWasSeen: Rule = (facts) =>
  facts.plan !== undefined && facts.plannedSinceAsked
    ? unmet(facts, 'a new plan was made since this apply was asked for', 'Read the new plan, and apply again.')
    : undefined;

const lockHeld: Rule = (facts) =>
  facts.lockHolder === undefined || facts.lockHolder.number === facts.pull.number
    ? undefined
    : lockedBy(facts, facts.lockHolder);

/** Another pull request holds the project lock. */
export function lockedBy(facts: ApplyFacts, { number, who }: { readonly number: number; readonly who: string }) {
  return unmet(
    facts,
    `the project is locked by #${number} (${who})`,
    `Wait until #${number} is merged or closed, or have it unlocked there with \`${facts.trigger} unlock\`.`,
  );
}

const dependenciesApplied: Rule = (facts) =>
  facts.unappliedDependencies.length === 0
    ? undefined
    : unmet(
        facts,
        `it depends on ${list(facts.unappliedDependencies)}, not applied yet`,
        `Apply ${list(facts.unappliedDependencies)} first, or \`${facts.trigger} apply\` everything.`,
      );

const reviewed =
  (rule: typeof approved): Rule =>
  (facts) =>
    rule({ ...facts, requirements: facts.project.applyRequirements });

/** Silent only where `mergeable` says the same. */
const mergesCleanly: Rule = (facts) => {
  const isSaid = facts.mergeability.kind === 'conflict' && facts.project.applyRequirements.includes('mergeable');
  return facts.inputsDigestNow === undefined && !isSaid ? CONFLICT : undefined;
};

const undiverged: Rule = (facts) =>
  facts.project.applyRequirements.includes('undiverged') && facts.baseMoved
    ? unmet(
        facts,
        `the base branch \`${facts.pull.baseRef}\` has moved in files of this project since the plan`,
        `Comment \`${facts.trigger} plan\` and read the new plan.`,
      )
    : undefined;

/** One rule each; the mutation tests take them out one by one. */
const RULES: readonly Rule[] = [
  pullRequestOpen,
  notDraft,
  notFromFork,
  actorMay,
  applicable,
  mergesCleanly,
  planExists,
  planCurrent,
  planWasSeen,
  lockHeld,
  dependenciesApplied,
  reviewed(approved),
  reviewed(mergeable),
  undiverged,
];

function short(sha: string): string {
  return sha.slice(0, 7);
}

function list(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}
