import type { Account, Mergeability, Permission, PullRequest, Review } from './pull-request.ts';
import type { Project, Requirement } from './project.ts';
import type { PlanRecord } from './record.ts';
import type { UnmetRequirement } from './reply.ts';

/** Everything the gate looks at, asked from the host and the record at the moment of the apply. */
export interface ApplyFacts {
  readonly pull: PullRequest;
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
  readonly reviews: readonly ReviewFacts[];
  /** When an apply found that the approved plan does not hold any more and left its own in its place: only reviews since then are about this one. */
  readonly planReplacedAt?: Date | undefined;
  /** Who pushed the head; undefined: the host cannot say, so it may have been anybody. */
  readonly lastPusher: Account | undefined;
  readonly mergeability: Mergeability;
  /** Names of projects this one depends on that have a plan in this pull request which is not applied. */
  readonly unappliedDependencies: readonly string[];
  readonly forkAllowed: boolean;
  readonly applicable: { readonly ok: true } | { readonly ok: false; readonly reason: string; readonly next: string };
  /** The trigger word, for the commands that people are told to type. */
  readonly trigger: string;
}

export interface ReviewFacts extends Review {
  readonly permission: Permission;
  /** The project's inputs at the reviewed commit are those of now. */
  readonly inputsUnchangedSince: boolean;
}

type Rule = (facts: ApplyFacts) => UnmetRequirement | undefined;

/** Every requirement that is not met, all at once, in the order in which people would deal with them. */
export function findUnmetRequirements(facts: ApplyFacts): readonly UnmetRequirement[] {
  return RULES.map((rule) => rule(facts)).filter((unmet) => unmet !== undefined);
}

/** What a plan itself needs, where its project says so: the same reviews and mergeability as an apply, and no commits of the base left out. */
export interface PlanRequirementFacts
  extends Pick<ApplyFacts, 'pull' | 'reviews' | 'lastPusher' | 'mergeability' | 'title' | 'trigger'> {
  readonly requirements: readonly Requirement[];
  /** What is planned lacks commits of the base branch that touch the project. */
  readonly behindBase: boolean;
}

/** Every requirement of a plan that is not met. */
export function findUnmetPlanRequirements(facts: PlanRequirementFacts): readonly UnmetRequirement[] {
  const { requirements, behindBase, pull, title } = facts;
  const like = { ...facts, project: { applyRequirements: requirements } };
  const diverged =
    requirements.includes('undiverged') && behindBase
      ? {
          project: title,
          what: `the branch lacks commits of \`${pull.baseRef}\` that touch this project`,
          next: `Merge \`${pull.baseRef}\` into the branch.`,
        }
      : undefined;
  return [approved(like), mergeable(like), diverged].filter((one) => one !== undefined);
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

const notDraft: Rule = ({ pull }) =>
  pull.draft ? everywhere('the pull request is a draft', 'Mark it as ready for review.') : undefined;

const notFromFork: Rule = ({ pull, forkAllowed }) =>
  pull.fork && !forkAllowed
    ? everywhere(
        'the pull request comes from a fork, and code from a fork is never applied',
        'Push the branch to this repository and open a pull request from there.',
      )
    : undefined;

const actorMay: Rule = ({ actor, actorPermission, actorRefusal }) => {
  if (!mayWrite(actorPermission)) {
    return everywhere(
      `@${actor.login} has ${actorPermission === 'none' ? 'no' : actorPermission} permission on the repository, and applying needs write`,
      'Ask somebody with write permission to apply.',
    );
  }
  return actorRefusal === undefined ? undefined : everywhere(actorRefusal, 'Ask somebody who may.');
};

const applicable: Rule = (facts) =>
  facts.applicable.ok ? undefined : unmet(facts, facts.applicable.reason, facts.applicable.next);

const planExists: Rule = (facts) =>
  facts.plan === undefined
    ? unmet(facts, 'there is no plan to apply', `Comment \`${facts.trigger} plan\`.`)
    : undefined;

const planCurrent: Rule = (facts) => {
  if (facts.plan === undefined) return undefined;
  // Another branch may ask for other things of the same files, and its state may be another one.
  if (facts.plan.baseRef !== facts.pull.baseRef)
    return unmet(
      facts,
      `the plan was made for the base branch \`${facts.plan.baseRef}\`, and the pull request now goes into \`${facts.pull.baseRef}\``,
      `Comment \`${facts.trigger} plan\` and read the new plan.`,
    );
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
    : unmet(
        facts,
        `the project is locked by #${facts.lockHolder.number} (${facts.lockHolder.who})`,
        `Wait until #${facts.lockHolder.number} is merged or closed, or have it unlocked there with \`${facts.trigger} unlock\`.`,
      );

const dependenciesApplied: Rule = (facts) =>
  facts.unappliedDependencies.length === 0
    ? undefined
    : unmet(
        facts,
        `it depends on ${list(facts.unappliedDependencies)}, not applied yet`,
        `Apply ${list(facts.unappliedDependencies)} first, or \`${facts.trigger} apply\` everything.`,
      );

/** The facts that rules on reviews and mergeability look at. */
interface ReviewRuleFacts
  extends Pick<ApplyFacts, 'pull' | 'reviews' | 'planReplacedAt' | 'lastPusher' | 'mergeability'> {
  readonly project: Pick<Project, 'applyRequirements'>;
}

type ReviewRule = (facts: ReviewRuleFacts) => UnmetRequirement | undefined;

const approved: ReviewRule = (facts) => {
  if (!requires(facts, 'approved')) return undefined;
  const objector = facts.reviews.find((review) => review.state === 'changes_requested' && mayWrite(review.permission));
  if (objector !== undefined) {
    return everywhere(
      `@${objector.reviewer.login} has asked for changes`,
      'Settle it with them, and ask for a new review.',
    );
  }
  const [approval, ...others] = facts.reviews.filter((review) => approves(facts, review));
  if (approval === undefined)
    return everywhere(
      'it is not approved: an approval counts from somebody with write permission who is neither the author nor the last to push, given at this commit or with nothing of the project changed since' +
        (facts.planReplacedAt === undefined ? '' : ', and after the plan changed'),
      'Ask for a review.',
    );
  // Of two people who approve one at least did not push.
  const isPushersOwn = ({ reviewer }: Review) => reviewer.id === approval.reviewer.id;
  if (facts.lastPusher !== undefined || !others.every(isPushersOwn)) return undefined;
  return everywhere(
    `the host does not say who pushed commit ${short(facts.pull.headSha)}; if it was @${approval.reviewer.login}, their approval, the only one, does not count`,
    'Have a second person approve it, or push once more and apply again.',
  );
};

function approves(facts: Pick<ApplyFacts, 'pull' | 'planReplacedAt' | 'lastPusher'>, review: ReviewFacts): boolean {
  if (review.state !== 'approved' || !mayWrite(review.permission)) return false;
  if (review.reviewer.id === facts.pull.author.id) return false;
  if (facts.lastPusher !== undefined && review.reviewer.id === facts.lastPusher.id) return false;
  if (isOlder(review, facts.planReplacedAt)) return false;
  return review.commitSha === facts.pull.headSha || review.inputsUnchangedSince;
}

/** Hosts tell times in whole seconds; a time that cannot be read is older than anything. */
function isOlder({ submittedAt }: ReviewFacts, instant: Date | undefined): boolean {
  return instant !== undefined && !(Date.parse(submittedAt) >= Math.floor(instant.getTime() / 1000) * 1000);
}

const mergeable: ReviewRule = (facts) => {
  if (!requires(facts, 'mergeable')) return undefined;
  switch (facts.mergeability.kind) {
    case 'mergeable':
      return undefined;
    case 'conflict':
      return everywhere(
        'it conflicts with the base branch',
        'Merge the base branch into it and resolve the conflicts.',
      );
    case 'blocked':
      return everywhere(
        `it cannot be merged: ${facts.mergeability.reasons.join('; ')}`,
        'See to what the host asks for, then apply again.',
      );
    case 'unknown':
      return everywhere(
        `whether it can be merged is not known: ${facts.mergeability.reason}`,
        'Try again in a minute.',
      );
  }
};

/** Silent only where `mergeable` says the same. */
const mergesCleanly: Rule = (facts) =>
  facts.inputsDigestNow === undefined && !(requires(facts, 'mergeable') && facts.mergeability.kind === 'conflict')
    ? everywhere('it conflicts with the base branch', 'Merge the base branch into it and resolve the conflicts.')
    : undefined;

const undiverged: Rule = (facts) =>
  requires(facts, 'undiverged') && facts.baseMoved
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
  approved,
  mergeable,
  undiverged,
];

function requires(facts: { readonly project: Pick<Project, 'applyRequirements'> }, requirement: Requirement): boolean {
  return facts.project.applyRequirements.includes(requirement);
}

export function mayWrite(permission: Permission): boolean {
  return permission === 'write' || permission === 'admin';
}

export function mayTriage(permission: Permission): boolean {
  return permission === 'triage' || mayWrite(permission);
}

function short(sha: string): string {
  return sha.slice(0, 7);
}

function list(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}
