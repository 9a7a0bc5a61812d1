import type { Hub } from '../hub.ts';
import type { Issue } from '../state/model.ts';
import { fullName } from '../state/world.ts';
import { ago, commentItem, commentsOn, person, speakers, type TimelineItem } from './conversation-model.ts';
import { renderMarkdown } from './markdown.ts';

const CLOSED_AS: Readonly<Record<string, string>> = {
  completed: 'closed this as completed',
  not_planned: 'closed this as not planned',
  duplicate: 'closed this as a duplicate',
};

function ending(issue: Issue): TimelineItem[] {
  const { closedAt: at, closedBy, stateReason } = issue;
  if (at === undefined || closedBy === undefined) return [];
  const text = CLOSED_AS[stateReason ?? ''] ?? 'closed this';
  return [{ kind: 'closed', at, icon: 'merged', glyph: '✓', author: person(closedBy), text }];
}

/** What people see of an issue that is no pull request. */
export function issueModel(hub: Hub, issue: Issue) {
  const comments = commentsOn(issue);
  const items = [...comments.map((comment) => commentItem(issue, comment)), ...ending(issue)];
  return {
    base: `/${fullName(issue.repository)}/issues/${issue.number}`,
    fullName: fullName(issue.repository),
    number: issue.number,
    title: issue.title,
    open: issue.state === 'open',
    state: issue.state === 'open' ? 'open' : 'merged',
    stateWord: issue.state === 'open' ? 'Open' : 'Closed',
    locked: issue.locked !== undefined,
    author: person(issue.author),
    when: ago(issue.createdAt),
    html: renderMarkdown(issue.body ?? '*No description provided.*'),
    timeline: items.toSorted((a, b) => a.at.getTime() - b.at.getTime()),
    commentCount: comments.length,
    labels: issue.labels.map((label) => label.name),
    assignees: issue.assignees.map(person),
    speakers: speakers(hub, issue),
  };
}
