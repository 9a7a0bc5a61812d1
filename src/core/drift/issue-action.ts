import type { DriftState } from './lifecycle.ts';

/** What is known of a project's issue. */
export type DriftIssue =
  /** There never was one, or it is deleted or moved away. */
  | { readonly state: 'none' }
  | {
      readonly state: 'open' | 'closed';
      /** When somebody else brought it into this state, after us; undefined: we did. */
      readonly byPeopleAt: Date | undefined;
      /** Tells apart what it says. */
      readonly content: string;
    };

export type IssueAction =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'open' }
  | { readonly kind: 'edit' }
  | { readonly kind: 'reopen'; readonly sentence: string }
  /** `completed`: there is nothing left to do. */
  | { readonly kind: 'close'; readonly sentence: string; readonly as: 'completed' | 'not_planned' };

/** Whether a project has drift that people are to be told of. */
export function isReportable({ drift }: DriftState): boolean {
  return drift?.confirmed === true && drift.quiet === undefined;
}

const NOTHING: IssueAction = { kind: 'nothing' };

/**
 * What is to be done about a project's issue. Somebody who closes or reopens it is not answered back until a later check says otherwise.
 * @param content tells apart what the issue should say.
 * @param refusal why the project may have no issue of its own, in a sentence; undefined: it may.
 */
export function decideIssue(
  state: DriftState,
  content: string,
  issue: DriftIssue,
  refusal: string | undefined,
): IssueAction {
  const wanted = isReportable(state) && refusal === undefined;
  if (issue.state === 'none') return wanted ? { kind: 'open' } : NOTHING;
  if (issue.state === 'closed') return wanted ? reopen(state, issue.byPeopleAt) : NOTHING;
  if (!wanted) return close(state, issue.byPeopleAt, refusal);
  return issue.content === content ? NOTHING : { kind: 'edit' };
}

function reopen({ drift, ended }: DriftState, closedByPeopleAt: Date | undefined): IssueAction {
  if (closedByPeopleAt === undefined || isAfter(ended?.at, closedByPeopleAt)) {
    return { kind: 'reopen', sentence: 'The drift is back.' };
  }
  if (!isAfter(drift?.lastSeenAt, closedByPeopleAt)) return NOTHING;
  const sentence =
    'This was closed, and the drift is still there. If it is to stay, acknowledge, snooze or ignore it with a command.';
  return { kind: 'reopen', sentence };
}

function close(state: DriftState, openedByPeopleAt: Date | undefined, refusal: string | undefined): IssueAction {
  const { drift, ended } = state;
  if (refusal !== undefined && isReportable(state)) return { kind: 'close', sentence: refusal, as: 'not_planned' };
  if (openedByPeopleAt !== undefined && !isAfter(ended?.at, openedByPeopleAt)) return NOTHING;
  if (drift?.quiet !== undefined) return { kind: 'close', sentence: drift.quiet, as: 'not_planned' };
  const sentence = ended?.sentence ?? 'There is no drift to report any more.';
  return { kind: 'close', sentence, as: ended?.ignored ? 'not_planned' : 'completed' };
}

function isAfter(time: string | undefined, instant: Date): boolean {
  return time !== undefined && Date.parse(time) > instant.getTime();
}
