import type { PullRequest } from './pull-request.ts';
import type { UnmetRequirement } from './reply.ts';

type Place = Pick<PullRequest, 'headSha' | 'baseRef'>;

/**
 * What an apply has verified is one head for one base branch. When either is another by now, the gate's facts speak of something else.
 * `undefined`: both are what they were.
 */
export function findMove(verified: Place, now: Place, trigger: string): UnmetRequirement | undefined {
  const what =
    now.baseRef !== verified.baseRef
      ? `its base branch became \`${now.baseRef}\` while the apply was verified`
      : now.headSha !== verified.headSha
        ? `commit ${now.headSha.slice(0, 7)} was pushed while the apply was verified`
        : undefined;
  const next = `Nothing was applied. Comment \`${trigger} plan\` and read the new plan.`;
  return what === undefined ? undefined : { project: undefined, what, next };
}
