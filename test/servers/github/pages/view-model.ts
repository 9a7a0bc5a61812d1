import type { Hub } from '../hub.ts';
import {
  askMergeable,
  latestOpinions,
  mergeState,
  pullFigures,
  unmetRequirements,
} from '../operations/mergeability.ts';
import type { CheckRun, Issue, PullRequest, Repository } from '../state/model.ts';
import { diffFiles, listCommits, patchOf } from '../state/git-store.ts';
import { fullName, pullsOf, stateOf } from '../state/world.ts';
import { latestStatuses } from '../views/commits.ts';
import { ago, commentItem, commentsOn, person, speakers, type TimelineItem } from './conversation-model.ts';
import { renderMarkdown, renderPatch } from './markdown.ts';

const VERBS: Readonly<Record<string, string>> = {
  APPROVED: 'approved these changes',
  CHANGES_REQUESTED: 'requested changes',
  COMMENTED: 'reviewed',
  DISMISSED: 'gave a review that was dismissed',
};

function events(pull: PullRequest): TimelineItem[] {
  const reviews = pull.reviews.map((review) => ({
    kind: 'review',
    at: review.submittedAt,
    icon: { APPROVED: 'ok', CHANGES_REQUESTED: 'bad' }[review.state as string] ?? 'dot',
    glyph: { APPROVED: '✓', CHANGES_REQUESTED: '±' }[review.state as string] ?? '◦',
    author: person(review.author),
    text: VERBS[review.state] ?? '',
    html: review.body === '' ? undefined : renderMarkdown(review.body),
  }));
  const pushes = (pull.headRepository?.activities ?? [])
    .filter(
      (one) =>
        one.ref === `refs/heads/${pull.headRef}` && one.type !== 'branch_deletion' && one.at >= pull.issue.createdAt,
    )
    .map((one) => ({
      kind: 'push',
      at: one.at,
      icon: 'dot',
      glyph: '⊙',
      author: person(one.actor),
      text: one.type === 'force_push' ? 'force-pushed to' : 'pushed',
      code: one.after.slice(0, 7),
    }));
  return [...reviews, ...pushes, ...ending(pull)];
}

function ending(pull: PullRequest): TimelineItem[] {
  const { issue, merged } = pull;
  if (merged !== undefined) {
    const text = `merged commit into ${pull.baseRef}`;
    return [
      {
        kind: 'merged',
        at: merged.at,
        icon: 'merged',
        glyph: '✓',
        author: person(merged.by),
        text,
        code: merged.sha.slice(0, 7),
      },
    ];
  }
  if (issue.state === 'open' || issue.closedBy === undefined || issue.closedAt === undefined) return [];
  return [
    {
      kind: 'closed',
      at: issue.closedAt,
      icon: 'bad',
      glyph: '⊘',
      author: person(issue.closedBy),
      text: 'closed this',
    },
  ];
}

function runView(run: CheckRun) {
  const done = run.status === 'completed';
  const good = ['success', 'neutral', 'skipped'].includes(run.conclusion ?? '');
  const state = done ? (good ? 'ok' : 'bad') : 'wait';
  return {
    id: run.id,
    app: run.app.name,
    name: run.name,
    state,
    glyph: { ok: '✓', bad: '✕', wait: '●' }[state],
    title: run.output.title ?? (done ? run.conclusion : run.status.replace('_', ' ')),
    summary: run.output.summary === null ? undefined : renderMarkdown(run.output.summary),
    url: run.detailsUrl,
    actions: done ? run.actions : [],
  };
}

function checks(pull: PullRequest) {
  const statuses = latestStatuses(pull.repository, pull.headSha).map((status) => {
    const state = { success: 'ok', pending: 'wait', failure: 'bad', error: 'bad' }[status.state];
    return {
      context: status.context,
      description: status.description,
      url: status.targetUrl,
      state,
      glyph: { ok: '✓', wait: '●', bad: '✕' }[state],
    };
  });
  const runs = pull.repository.checkRuns.filter((run) => run.headSha === pull.headSha).map(runView);
  const states = [...statuses, ...runs].map((one) => one.state);
  const worst = ['bad', 'wait', 'ok'].find((state) => states.includes(state)) ?? 'none';
  const words = {
    bad: 'Some checks were not successful',
    wait: 'Some checks haven’t completed yet',
    ok: 'All checks have passed',
    none: 'No checks yet',
  };
  return {
    statuses,
    runs,
    state: worst,
    count: states.length,
    words: words[worst as keyof typeof words],
    any: states.length > 0,
  };
}

async function mergeBox(hub: Hub, pull: PullRequest) {
  const mergeable = await askMergeable(hub, pull);
  const state = await mergeState(pull, mergeable);
  const words: Readonly<Record<string, string>> = {
    clean: 'This branch has no conflicts with the base branch',
    unstable: 'This branch has no conflicts with the base branch',
    dirty: 'This branch has conflicts that must be resolved',
    blocked: 'Merging is blocked',
    behind: 'This branch is out of date with the base branch',
    draft: 'This pull request is still a draft',
    unknown: 'Checking for the ability to merge…',
  };
  const can = state === 'clean' || state === 'unstable';
  return {
    state: can ? 'ok' : state === 'unknown' ? 'wait' : 'bad',
    glyph: can ? '✓' : '!',
    can,
    words: words[state],
    reasons: unmetRequirements(pull),
  };
}

const STATES: Readonly<Record<string, string>> = { open: 'Open', closed: 'Closed', merged: 'Merged' };

function wordsOf(figures: Awaited<ReturnType<typeof pullFigures>>) {
  const count = (number: number, word: string) => `${number} ${word}${number === 1 ? '' : 's'}`;
  return { ...figures, commitWords: count(figures.commits, 'commit'), fileWords: count(figures.changedFiles, 'file') };
}

export async function timelineModel(hub: Hub, pull: PullRequest) {
  const comments = commentsOn(pull.issue);
  const items = [...comments.map((comment) => commentItem(pull.issue, comment)), ...events(pull)];
  const state = stateOf(pull);
  return {
    base: `/${fullName(pull.repository)}/pull/${pull.issue.number}`,
    state,
    stateWord: pull.draft && state === 'open' ? 'Draft' : STATES[state],
    open: state === 'open',
    merged: state === 'merged',
    draft: pull.draft,
    title: pull.issue.title,
    number: pull.issue.number,
    author: person(pull.issue.author),
    when: ago(pull.issue.createdAt),
    html: renderMarkdown(pull.issue.body ?? '*No description provided.*'),
    timeline: items.toSorted((a, b) => a.at.getTime() - b.at.getTime()),
    checks: checks(pull),
    merge: state === 'open' ? await mergeBox(hub, pull) : undefined,
    reviewers: latestOpinions(pull).map((review) => ({
      ...person(review.author),
      ok: review.state === 'APPROVED',
      bad: review.state === 'CHANGES_REQUESTED',
    })),
    headRef: pull.headRepository === pull.repository ? pull.headRef : `${pull.headOwner.login}:${pull.headRef}`,
    baseRef: pull.baseRef,
    figures: wordsOf(await pullFigures(pull)),
    speakers: speakers(hub, pull.issue),
    commentCount: comments.length,
  };
}

export async function pullModel(hub: Hub, pull: PullRequest) {
  const { repository } = pull;
  const directory = repository.gitDirectory;
  const base = pull.merged === undefined ? pull.baseSha : `${pull.merged.sha}^1`;
  const files = await diffFiles(directory, base, pull.headSha);
  const shown = await Promise.all(
    files.slice(0, 50).map(async (file) => {
      const patch = (await patchOf(directory, base, pull.headSha, file.path)) ?? '';
      return { ...file, patchHtml: renderPatch(patch) };
    }),
  );
  const commits = await listCommits(directory, `${base}..${pull.headSha}`, 50);
  return {
    ...(await timelineModel(hub, pull)),
    fullName: fullName(repository),
    files: shown,
    commits: commits.toReversed().map((commit) => ({
      short: commit.sha.slice(0, 7),
      message: commit.message.split('\n')[0],
      author: commit.author.name,
    })),
  };
}

function pullRow(pull: PullRequest) {
  return {
    number: pull.issue.number,
    title: pull.issue.title,
    state: stateOf(pull),
    author: person(pull.issue.author),
    when: ago(pull.issue.createdAt),
    checks: checks(pull),
    comments: `${commentsOn(pull.issue).length} comments`,
    href: `/${fullName(pull.repository)}/pull/${pull.issue.number}`,
  };
}

function issueRow(issue: Issue) {
  return {
    number: issue.number,
    title: issue.title,
    state: issue.state,
    closed: issue.state === 'closed',
    labels: issue.labels.map((label) => label.name),
    author: person(issue.author),
    when: ago(issue.createdAt),
    comments: `${commentsOn(issue).length} comments`,
    href: `/${fullName(issue.repository)}/issues/${issue.number}`,
  };
}

function issuesOf(repository: Repository): Issue[] {
  return [...repository.issues.values()].filter((issue) => issue.pull === undefined);
}

export function indexModel(hub: Hub) {
  const repositories = [...hub.world.repositories.values()].filter((one) => !one.deleted && one.parent === undefined);
  return {
    repositories: repositories.map((repository) => ({
      fullName: fullName(repository),
      private: repository.private,
      defaultBranch: repository.defaultBranch,
      pulls: pullsOf(repository).toReversed().map(pullRow),
      issues: issuesOf(repository).toReversed().map(issueRow),
    })),
  };
}
