import { mayWrite } from './actor-rules.ts';
import type { Account, Mergeability, Permission, PullRequest, Review } from './pull-request.ts';
import type { Requirement } from './project.ts';
import type { UnmetRequirement } from './reply.ts';

export interface ReviewFacts extends Review {
  readonly permission: Permission;
  /** The project's inputs at the reviewed commit are those of now. */
  readonly inputsUnchangedSince: boolean;
}

/** What rules on reviews and mergeability look at, asked from the host now. */
export interface ReviewRuleFacts {
  readonly pull: PullRequest;
  readonly reviews: readonly ReviewFacts[];
  /** When an apply found that the approved plan does not hold any more and left its own in its place: only reviews since then are about this one. */
  readonly planReplacedAt?: Date | undefined;
  /** Who pushed the head; undefined: the host cannot say, so it may have been anybody. */
  readonly lastPusher: Account | undefined;
  readonly mergeability: Mergeability;
  readonly requirements: readonly Requirement[];
}

type ReviewRule = (facts: ReviewRuleFacts) => UnmetRequirement | undefined;

const everywhere = (what: string, next: string): UnmetRequirement => ({ project: undefined, what, next });

export const CONFLICT = everywhere(
  'it conflicts with the base branch',
  'Merge the base branch into it and resolve the conflicts.',
);

/** Of the right people, and about what would be done now. */
export const approved: ReviewRule = (facts) => {
  if (!facts.requirements.includes('approved')) return undefined;
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
    `the host does not say who pushed commit ${facts.pull.headSha.slice(0, 7)}; if it was @${approval.reviewer.login}, their approval, the only one, does not count`,
    'Have a second person approve it, or push once more.',
  );
};

function approves(facts: ReviewRuleFacts, review: ReviewFacts): boolean {
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

/** The host would merge it. */
export const mergeable: ReviewRule = (facts) => {
  if (!facts.requirements.includes('mergeable')) return undefined;
  switch (facts.mergeability.kind) {
    case 'mergeable':
      return undefined;
    case 'conflict':
      return CONFLICT;
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

/** What a plan itself needs, where its project says so: the same reviews and mergeability as an apply, and no commits of the base left out. */
export interface PlanRequirementFacts extends ReviewRuleFacts {
  readonly title: string;
  /** What is planned lacks commits of the base branch that touch the project. */
  readonly behindBase: boolean;
}

/** Every requirement of a plan that is not met. */
export function findUnmetPlanRequirements(facts: PlanRequirementFacts): readonly UnmetRequirement[] {
  const { requirements, behindBase, pull, title } = facts;
  const diverged =
    requirements.includes('undiverged') && behindBase
      ? {
          project: title,
          what: `the branch lacks commits of \`${pull.baseRef}\` that touch this project`,
          next: `Merge \`${pull.baseRef}\` into the branch.`,
        }
      : undefined;
  return [approved(facts), mergeable(facts), diverged].filter((one) => one !== undefined);
}
