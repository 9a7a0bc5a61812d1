import type { Hub } from '../hub.ts';
import type { Account, Issue, IssueComment } from '../state/model.ts';
import { atLeast, roleOf } from '../state/permissions.ts';
import { renderMarkdown } from './markdown.ts';

const EMOJI: Readonly<Record<string, string>> = {
  '+1': '👍',
  '-1': '👎',
  laugh: '😄',
  confused: '😕',
  heart: '❤️',
  hooray: '🎉',
  rocket: '🚀',
  eyes: '👀',
};
const HUES = 12;

export interface TimelineItem {
  readonly at: Date;
  readonly kind: string;
  readonly [key: string]: unknown;
}

export function person(account: Account) {
  const name = account.login.replace('[bot]', '');
  return {
    login: name,
    bot: account.type === 'Bot',
    initial: name.charAt(0).toUpperCase(),
    hue: (account.id % HUES) * (360 / HUES),
  };
}

export function ago(date: Date): string {
  const seconds = Math.round((Date.now() - date.getTime()) / 1000);
  if (seconds < 60) return 'now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h ago` : date.toISOString().slice(0, 10);
}

export function commentsOn({ repository, number }: Issue): IssueComment[] {
  return [...repository.comments.values()].filter((one) => one.number === number);
}

export function commentItem(issue: Issue, comment: IssueComment): TimelineItem {
  const counts = new Map<string, number>();
  for (const { content } of comment.reactions) counts.set(content, (counts.get(content) ?? 0) + 1);
  return {
    kind: 'comment',
    isComment: true,
    at: comment.createdAt,
    id: comment.id,
    author: person(comment.author),
    isAuthor: comment.author === issue.author,
    when: ago(comment.createdAt),
    edited: comment.updatedAt > comment.createdAt,
    minimized: comment.minimizedReason,
    html: renderMarkdown(comment.body),
    reactions: [...counts].map(([content, count]) => ({ emoji: EMOJI[content] ?? content, content, count })),
  };
}

/** Those who can speak here: people with a role, the author first; accounts that have a token are programs. */
export function speakers(hub: Hub, { repository, author }: Issue) {
  const programs = new Set([...hub.world.personalTokens.values()].map((token) => token.account));
  const owner = repository.owner;
  return [...hub.world.accounts.values()]
    .filter(
      (account) => account.type === 'User' && !programs.has(account) && atLeast(roleOf(repository, account), 'read'),
    )
    .toSorted((a, b) => Number(b === author) - Number(a === author) || Number(a === owner) - Number(b === owner))
    .map((account) => ({ login: account.login, role: roleOf(repository, account) }));
}
