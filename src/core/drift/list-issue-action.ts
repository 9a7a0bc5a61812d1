import type { DriftIssue, IssueAction } from './issue-action.ts';

const CLOSING = 'There is nothing left to tell here.';
const REOPENING = 'There is something to tell here again.';

/**
 * What is to be done about an issue that lists several projects. Somebody who closes it is left alone until it would say something else.
 * @param wanted whether there is anything to tell.
 * @param content tells apart what the issue should say.
 */
export function decideListIssue(wanted: boolean, content: string, issue: DriftIssue): IssueAction {
  if (issue.state === 'none') return wanted ? { kind: 'open' } : { kind: 'nothing' };
  if (issue.state === 'open') {
    if (!wanted) return { kind: 'close', sentence: CLOSING, as: 'completed' };
    return issue.content === content ? { kind: 'nothing' } : { kind: 'edit' };
  }
  const closedByPeople = issue.byPeopleAt !== undefined;
  if (!wanted || (closedByPeople && issue.content === content)) return { kind: 'nothing' };
  return { kind: 'reopen', sentence: REOPENING };
}
