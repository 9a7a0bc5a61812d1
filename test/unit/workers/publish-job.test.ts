import { describe, expect, test } from 'vitest';
import { HostRefusedError } from '../../../src/core/host-error.ts';
import type { PullRequestState } from '../../../src/core/record.ts';
import type { PublicationState } from '../../../src/ports/publication-store.ts';
import type { CheckRun, CommitStatus } from '../../../src/ports/vcs-host.ts';
import type { WorkerContext } from '../../../workers/context.ts';
import { publishJob } from '../../../workers/publish-job.ts';
import {
  buildBatch,
  buildNotes,
  buildPullRequest,
  buildPullRequestRecord,
  buildState,
  HEAD,
  OLD_HEAD,
} from '../../support/builders.ts';
import { recordingLogger } from '../../support/recording-logger.ts';

const PULL = buildPullRequestRecord();

function refusal(status: number): HostRefusedError {
  return new HostRefusedError(`GitHub answered ${status}`, { status });
}

interface Stage {
  readonly state?: PullRequestState;
  readonly wanted?: Partial<PublicationState>;
  /** Names of calls that the host refuses, with the status of its answer. */
  readonly refuses?: Readonly<Record<string, number>>;
  readonly readState?: () => Promise<PullRequestState | undefined>;
  /** A check run of ours that the host has. */
  readonly existing?: { readonly id: string; readonly headSha: string; readonly externalId: string };
}

/** One publication against a host that says no to some of it. Answers what reached the host and what was written down. */
async function publishOn({ state = stateOf({}), wanted = {}, refuses = {}, existing, readState }: Stage) {
  const done: string[] = [];
  const statuses: CommitStatus[] = [];
  const checkRuns: (CheckRun & { readonly id: string | undefined })[] = [];
  const call = (name: string, detail = ''): void => {
    const status = refuses[name] ?? refuses[`${name} ${detail}`];
    if (status !== undefined) throw refusal(status);
    done.push(detail === '' ? name : `${name} ${detail}`);
  };
  const posted = { id: '1', nodeId: 'N1', url: 'https://github.com/c/1' };
  const host = {
    host: 'github.com',
    capabilities: { checkRuns: true, minimizeComments: true },
    limits: { commentLength: 65_536, statusDescriptionLength: 140, checkSummaryLength: 65_535 },
    findOwnComment: async () => undefined,
    createComment: async (_repository: object, _number: number, body: string) => {
      call(
        'comment',
        body.includes('Ask somebody') ? 'refusal' : body.includes('nothing is queued') ? 'nothing' : 'plan',
      );
      return posted;
    },
    setCommitStatus: async (_repository: object, _sha: string, status: CommitStatus) => {
      call('status', status.context);
      statuses.push(status);
    },
    createCheckRun: async (_repository: object, checkRun: CheckRun) => {
      call('check run');
      checkRuns.push({ id: undefined, ...checkRun });
      return '77';
    },
    updateCheckRun: async (_repository: object, id: string, checkRun: CheckRun) => {
      call('check run', id);
      checkRuns.push({ id, ...checkRun });
      return true;
    },
    findOwnCheckRun: async (_repository: object, run: Pick<CheckRun, 'headSha' | 'externalId'>) =>
      existing?.headSha === run.headSha && existing.externalId === run.externalId ? existing.id : undefined,
    addReaction: async (_repository: object, commentId: string) => call('reaction', commentId),
    getPullRequest: async () => buildPullRequest(),
    mergePullRequest: async () => {
      call('merge');
      return { kind: 'merged', sha: HEAD };
    },
  };
  const note = (text: string) => async (): Promise<void> => void done.push(text);
  const publications = {
    open: async () => ({
      lease: { pullRequestId: PULL.id, token: '1' },
      pull: state.pull,
      wanted: 5,
      done: 4,
      comment: undefined,
      checkRun: undefined,
      replies: [],
      reactions: [],
      statuses: new Map(),
      outdated: [],
      merge: undefined,
      ...wanted,
    }),
    renew: async () => true,
    close: async (_lease: object, version: number | undefined) => void done.push(`closed at ${version}`),
    isPending: async () => false,
    saveComment: note('saved comment'),
    beginCheckRun: async (_id: string, { externalId }: { externalId: string }) =>
      void done.push(`began check run of ${externalId}`),
    saveCheckRun: async (_id: string, { id }: { id: string }) => void done.push(`saved check run ${id}`),
    saveStatus: async () => undefined,
    beginReply: async (id: string) => void done.push(`began ${id}`),
    endReply: async (id: string, comment: object | undefined) =>
      void done.push(`${comment === undefined ? 'gave up' : 'ended'} ${id}`),
    endReaction: async () => undefined,
    endMerge: async (_id: string, end: string, reason: string | undefined) =>
      void done.push(`merge ${end}: ${reason ?? ''}`),
    findMerge: async () => undefined,
  };
  const context = {
    config: { triggers: ['holdfast'], sandbox: { kind: 'bubblewrap' } },
    logger: recordingLogger(),
    workerId: 'w',
    now: () => new Date('2026-11-21T12:00:00Z'),
    hosts: new Map([['github.com', host]]),
    queue: { enqueue: async () => undefined },
    runs: { readState: readState ?? (async () => state) },
    publications,
    publicUrl: 'http://holdfast.test',
  };
  const thrown = await publishJob(context as unknown as WorkerContext, PULL.id).catch((error: unknown) => error);
  return { done, statuses, checkRuns, thrown };
}

/** A commit whose config has a problem: that makes a comment, two statuses and a check run. */
function stateOf(some: Partial<PullRequestState>): PullRequestState {
  const problem = { file: 'holdfast.yaml', line: 3, message: 'projects: must be a list', suggestion: undefined };
  return buildState({ planBatch: buildBatch({ notes: buildNotes({ configProblems: [problem] }) }), ...some });
}

const nothing = (id: string) => ({
  id,
  mayExist: false,
  reply: {
    key: id,
    kind: 'command' as const,
    view: {
      kind: 'nothing_done' as const,
      command: 'holdfast cancel',
      reason: 'nothing is queued or running',
      next: undefined,
    },
  },
});

const refused = (id: string) => ({
  id,
  mayExist: false,
  reply: {
    key: id,
    kind: 'command' as const,
    view: {
      kind: 'refused' as const,
      command: 'holdfast apply',
      actor: 'ann',
      unmet: [{ project: undefined, what: 'no', next: 'Ask somebody who may.' }],
    },
  },
});

describe('publishing', () => {
  test('gives the pull request free when the record cannot be read, and leaves it wanted', async () => {
    const away = new Error('the database is away');
    const { done, thrown } = await publishOn({ readState: () => Promise.reject(away) });
    expect(thrown).toBe(away);
    expect(done).toEqual(['closed at undefined']);
  });

  test('a refused plan comment keeps nothing else from being published', async () => {
    const { done } = await publishOn({ refuses: { 'comment plan': 422 }, wanted: { replies: [nothing('a')] } });
    expect(done).toEqual([
      'began a',
      'comment nothing',
      'ended a',
      'status holdfast/plan',
      'status holdfast/apply',
      'began check run of batch-1',
      'check run',
      'saved check run 77',
      'closed at 5',
    ]);
  });

  test('one refused status, answer or check run does not take the others with it', async () => {
    const { done } = await publishOn({
      refuses: { 'status holdfast/plan': 422, 'comment refusal': 422, 'check run': 403 },
      wanted: { replies: [refused('a'), nothing('b')], reactions: [{ commentId: '9', reaction: 'rocket' }] },
    });
    expect(done).toEqual([
      'comment plan',
      'saved comment',
      'began a',
      'gave up a',
      'began b',
      'comment nothing',
      'ended b',
      'status holdfast/apply',
      'began check run of batch-1',
      'reaction 9',
      'closed at 5',
    ]);
  });

  test('an answer that permission is missing for is kept until it may be posted', async () => {
    const { done } = await publishOn({ refuses: { 'comment refusal': 403 }, wanted: { replies: [refused('a')] } });
    expect(done).toContain('began a');
    expect(done).not.toContain('gave up a');
  });

  test('a merge that the host forbids is an answer, and not asked for again', async () => {
    const { done } = await publishOn({
      refuses: { merge: 403 },
      wanted: { merge: { headSha: HEAD, method: undefined } },
    });
    expect(done).toContain('merge refused: GitHub answered 403');
  });

  test('a check run that went on when a newer commit came is ended', async () => {
    const { checkRuns } = await publishOn({
      wanted: { checkRun: { id: '5', sha: OLD_HEAD, hash: 'in_progress:whatever' } },
    });
    expect(checkRuns).toMatchObject([
      { id: '5', headSha: OLD_HEAD, status: 'completed', conclusion: 'cancelled' },
      { id: undefined, headSha: HEAD, status: 'completed' },
    ]);
  });

  test('a check run that had ended when a newer commit came is left alone', async () => {
    const { checkRuns } = await publishOn({
      wanted: { checkRun: { id: '5', sha: OLD_HEAD, hash: 'completed:whatever' } },
    });
    expect(checkRuns.map((run) => run.id)).toEqual([undefined]);
  });

  test('a check run whose making was begun before a crash is looked for, and made when it is not there', async () => {
    const begun = { id: undefined, sha: HEAD, externalId: 'batch-0' };
    const { checkRuns, done } = await publishOn({
      wanted: { checkRun: begun },
      existing: { id: '9', headSha: HEAD, externalId: 'batch-0' },
    });
    expect(checkRuns).toMatchObject([{ id: '9', externalId: 'batch-1', status: 'completed' }]);
    expect(done).toContain('saved check run 9');
    const never = await publishOn({ wanted: { checkRun: begun } });
    expect(never.checkRuns.map((run) => run.id)).toEqual([undefined]);
  });

  test('a check run whose making was begun on a commit that was superseded since is ended', async () => {
    const { checkRuns } = await publishOn({
      wanted: { checkRun: { id: undefined, sha: OLD_HEAD, externalId: 'batch-0' } },
      existing: { id: '9', headSha: OLD_HEAD, externalId: 'batch-0' },
    });
    expect(checkRuns.map((run) => [run.id, run.conclusion])).toEqual([
      ['9', 'cancelled'],
      [undefined, 'failure'],
    ]);
  });

  test('a check run of an old commit that cannot be ended does not keep the new one from its own', async () => {
    const { checkRuns } = await publishOn({
      refuses: { 'check run 5': 403 },
      wanted: { checkRun: { id: '5', sha: OLD_HEAD, hash: 'in_progress:whatever' } },
    });
    expect(checkRuns.map((run) => run.id)).toEqual([undefined]);
  });

  test('what waits on a pull request that was closed ends, and nothing else of its commit is touched', async () => {
    const { statuses } = await publishOn({
      state: stateOf({ pull: buildPullRequestRecord({ state: 'closed' }), planBatch: buildBatch() }),
      wanted: { statuses: new Map([['holdfast/apply', 'pending|0 of 1 applied|']]) },
    });
    expect(statuses.map(({ context }) => context)).toEqual(['holdfast/apply']);
  });
});
