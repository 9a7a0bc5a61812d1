import { expect, test } from 'vitest';
import type { DriftIssue } from '../../../../src/core/drift/issue-action.ts';
import { decideListIssue } from '../../../../src/core/drift/list-issue-action.ts';

const AT = new Date('2026-11-21T12:00:00Z');
const issue = (state: 'open' | 'closed', content: string, byPeopleAt?: Date): DriftIssue => ({
  state,
  content,
  byPeopleAt,
});
const NONE: DriftIssue = { state: 'none' };

test.each<[what: string, wanted: boolean, issue: DriftIssue, action: string]>([
  ['there is none and nothing to tell', false, NONE, 'nothing'],
  ['there is none and something to tell', true, NONE, 'open'],
  ['it says what it should', true, issue('open', 'now'), 'nothing'],
  ['it says something else', true, issue('open', 'before'), 'edit'],
  ['nothing is left to tell', false, issue('open', 'now'), 'close'],
  ['somebody reopened it, and there is nothing to tell', false, issue('open', 'now', AT), 'close'],
  ['it was closed and there is nothing to tell', false, issue('closed', 'before'), 'nothing'],
  ['we closed it, and there is something to tell again', true, issue('closed', 'now'), 'reopen'],
  ['somebody closed it, and it would say the same', true, issue('closed', 'now', AT), 'nothing'],
  ['somebody closed it, and it would say something else', true, issue('closed', 'before', AT), 'reopen'],
  ['somebody closed it, and there is nothing to tell', false, issue('closed', 'before', AT), 'nothing'],
])('%s', (_, wanted, known, action) => {
  expect(decideListIssue(wanted, 'now', known).kind).toBe(action);
});
