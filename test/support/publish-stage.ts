import { HostRefusedError } from '../../src/core/host-error.ts';
import type { PullRequestState } from '../../src/core/record.ts';
import type { PublicationState } from '../../src/ports/publication-store.ts';
import type { CheckRun, CommitStatus } from '../../src/ports/vcs-host.ts';
import type { WorkerContext } from '../../workers/context.ts';
import { publishJob } from '../../workers/publish-job.ts';
import {
  buildBatch,
  buildNotes,
  buildPlan,
  buildPullRequest,
  buildPullRequestRecord,
  buildRun,
  buildState,
  HEAD,
  OLD_HEAD,
} from './builders.ts';
import { recordingLogger } from './recording-logger.ts';

const PULL = buildPullRequestRecord();
const NOW = new Date('2026-11-21T12:00:00Z');

export const secondsAgo = (seconds: number): Date => new Date(NOW.getTime() - seconds * 1_000);

function refusal(status: number): HostRefusedError {
  return new HostRefusedError(`GitHub answered ${status}`, { status });
}

export interface PublishOrder {
  readonly state?: PullRequestState;
  readonly wanted?: Partial<PublicationState>;
  /** Names of calls that the host refuses, with the status of its answer. */
  readonly refuses?: Readonly<Record<string, number>>;
  /** Only pull requests into such branches are served. */
  readonly branch?: string;
  /** More is wanted while this is being published. */
  readonly wantedMore?: boolean;
  readonly readState?: () => Promise<PullRequestState | undefined>;
  /** A check run of ours that the host has. */
  readonly existing?: { readonly id: string; readonly headSha: string; readonly externalId: string };
}

/** One publication against a host that says no to some of it. Answers what reached the host, what was written down, and how often the plans' texts were read. */
export async function publishOn({
  state = configProblemState({}),
  wanted = {},
  refuses = {},
  existing,
  branch,
  wantedMore = false,
  readState,
}: PublishOrder) {
  const done: string[] = [];
  let reads = 0;
  const statuses: (CommitStatus & { readonly sha: string })[] = [];
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
    updateComment: async () => {
      call('edit');
      return true;
    },
    createComment: async (_repository: object, _number: number, body: string) => {
      call(
        'comment',
        body.includes('Ask somebody') ? 'refusal' : body.includes('nothing is queued') ? 'nothing' : 'plan',
      );
      return posted;
    },
    setCommitStatus: async (_repository: object, sha: string, status: CommitStatus) => {
      call('status', sha === OLD_HEAD ? `${status.context} before` : status.context);
      statuses.push({ sha, ...status });
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
      lease: { id: PULL.id, token: '1' },
      pull: state.pull,
      openedAt: NOW,
      wanted: 5,
      done: 4,
      comment: undefined,
      checkRun: undefined,
      replies: [],
      reactions: [],
      statuses: new Map(),
      shared: new Set(),
      leftPending: [],
      outdated: [],
      merge: undefined,
      ...wanted,
    }),
    renew: async () => true,
    close: async (_lease: object, version: number | undefined) => void done.push(`closed at ${version}`),
    isWantedSince: async () => wantedMore,
    putOff: async (_lease: object, version: number, dueInMs: number) =>
      void done.push(`put off ${version} by ${dueInMs}`),
    saveComment: note('saved comment'),
    beginCheckRun: async (_id: string, { externalId }: { externalId: string }) =>
      void done.push(`began check run of ${externalId}`),
    saveCheckRun: async (_id: string, { id }: { id: string }) => void done.push(`saved check run ${id}`),
    saveStatus: async (_id: string, _sha: string, context: string, hash: string) =>
      void done.push(`saved status ${context} ${hash.split('|')[0]}`),
    beginReply: async (id: string) => void done.push(`began ${id}`),
    endReply: async (id: string, comment: object | undefined) =>
      void done.push(`${comment === undefined ? 'gave up' : 'ended'} ${id}`),
    endReaction: async () => undefined,
    endMerge: async (_id: string, end: string, reason: string | undefined) =>
      void done.push(`merge ${end}: ${reason ?? ''}`),
    findMerge: async () => undefined,
  };
  const context = {
    config: {
      triggers: ['holdfast'],
      sandbox: { kind: 'bubblewrap' },
      repos: branch === undefined ? [] : [{ id: 'github.com/acme/infra', branch }],
      workflows: new Map(),
      permissions: {},
      drift: { defaults: {} },
    },
    logger: recordingLogger(),
    workerId: 'w',
    now: () => NOW,
    hosts: new Map([['github.com', host]]),
    queue: {
      enqueue: async (_name: string, { when }: { when: string }, { delayMs = 0 }: { delayMs?: number } = {}) =>
        void done.push(`enqueued ${when} in ${delayMs}`),
    },
    pulls: {
      readPlanTexts: async () => {
        reads += 1;
        return new Map();
      },
    },
    runs: {
      findRuns: async () => [],
      queuePositions: async () => new Map(),
      findLastApplies: async () => new Map(),
      readState: readState ?? (async () => state),
    },
    publications,
    reports: { findDrifting: async () => [] },
    publicUrl: 'http://holdfast.test',
  };
  const thrown = await publishJob(context as unknown as WorkerContext, PULL.id).catch((error: unknown) => error);
  return { done, statuses, checkRuns, thrown, reads };
}

/** A commit whose config has a problem: that makes a comment, two statuses and a check run. */
export function configProblemState(some: Partial<PullRequestState>): PullRequestState {
  const problem = { file: 'holdfast.yaml', line: 3, message: 'projects: must be a list', suggestion: undefined };
  return buildState({ planBatch: buildBatch({ notes: buildNotes({ configProblems: [problem] }) }), ...some });
}

/** One project, planned with a change that is to be applied. */
export function plannedState(some: Partial<PullRequestState> = {}): PullRequestState {
  const counts = { add: 1, change: 0, destroy: 0, replace: 0, import: 0, move: 0, forget: 0, outputs: 0 };
  const summary = { empty: false, counts, changes: [], drifted: [], checks: [], canonicalDigest: 'canonical' };
  const result = { kind: 'planned', summary, warnings: [], applyRefusal: undefined } as const;
  const latest = [buildRun({ state: 'succeeded', result })];
  return buildState({ planBatch: buildBatch(), latest, plans: [buildPlan()], ...some });
}

/** The project is being planned since so long ago. */
export function planningState(seconds: number, some: Partial<PullRequestState> = {}): PullRequestState {
  const run = buildRun({ state: 'running', queuedAt: secondsAgo(seconds) });
  return buildState({ planBatch: buildBatch(), latest: [run], open: [run], ...some });
}
