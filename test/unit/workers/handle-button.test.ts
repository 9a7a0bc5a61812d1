import { describe, expect, test } from 'vitest';
import { HostRefusedError } from '../../../src/core/host-error.ts';
import type { Permission } from '../../../src/core/pull-request.ts';
import type { Decision, PullRequestState } from '../../../src/core/record.ts';
import { handleButton, handleRerun } from '../../../workers/handle-button.ts';
import type { RunContext } from '../../../workers/run-context.ts';
import {
  buildAccount,
  buildBatch,
  buildPullRequest,
  buildRepository,
  buildRun,
  buildState,
  HEAD,
} from '../../support/builders.ts';
import type { VcsHost } from '../../../src/ports/vcs-host.ts';

const PLANNED = buildBatch({ id: 'planned' });
const APPLIED = buildBatch({ id: 'applied', createdAt: new Date('2026-11-21T12:05:00Z') });
const AFTER_APPLY = buildState({
  planBatch: PLANNED,
  latest: [buildRun({ batch: PLANNED }), buildRun({ operation: 'apply', batch: APPLIED })],
});
const WHERE = { repositoryId: '42', repositoryFullName: 'acme/infra', sender: buildAccount('ann') };

/** What was decided, in a pull request as it stands; `decided`: when the decision is made, where that is another. */
function stage(
  state: PullRequestState,
  permission: Permission = 'write',
  decided = state,
  failures: Readonly<Record<number, Error>> = {},
) {
  const decisions: Decision[] = [];
  const pull = buildPullRequest();
  const host = {
    host: 'github.com',
    getRepository: async () => buildRepository(),
    getPullRequest: async (_repository: object, number: number) => {
      const failure = failures[number];
      if (failure !== undefined) throw failure;
      return pull;
    },
    getPermission: async () => permission,
    findPullRequestsOfCommit: async () => [...Object.keys(failures).map(Number), 7],
    getGitSource: async () => ({}),
    headRefOf: () => 'refs/pull/7/head',
  } as unknown as VcsHost;
  const context = {
    config: {
      repositories: ['github.com/acme/*'],
      triggers: ['holdfast'],
      repos: [],
      workflows: new Map(),
      permissions: {},
      drift: { defaults: {} },
      forks: 'off',
      checkoutStrategy: 'branch',
      terraform: { distribution: 'terraform' },
    },
    commits: { read: async () => ({ sha: HEAD, entries: [], paths: [], configuration: new Map() }) },
    mirror: {
      fetch: async () => new Map([`refs/heads/${pull.baseRef}`, 'refs/pull/7/head'].map((ref) => [ref, HEAD])),
      listChangedFiles: async () => [],
    },
    publications: { findPullRequestOfBatch: async () => state.pull.id },
    pulls: {
      find: async () => state.pull,
      saveRepository: async () => undefined,
      readVersion: async () => 1,
      saveSeen: async () => ({ ...state.pull, fork: true }),
    },
    runs: {
      readState: async () => state,
      decide: async (_id: string, _version: number, decide: (state: PullRequestState) => Decision) => {
        decisions.push(decide(decided));
        return { kind: 'decided', wakeups: { runIds: [], pullRequestIds: [], deliveries: [] } };
      },
    },
  } as unknown as RunContext;
  const keys = () => decisions.flatMap(({ replies = [] }) => replies.map((reply) => reply.key));
  const said = () => decisions.flatMap(({ replies = [] }) => replies.map((reply) => JSON.stringify(reply.view)));
  const press = (identifier: string, batchId: string) =>
    handleButton(context, host, { kind: 'button', ...WHERE, batchId, identifier });
  const rerun = (batchId: string | undefined, deliveryId: string) =>
    handleRerun(context, host, { kind: 'rerun', ...WHERE, headSha: HEAD, batchId }, deliveryId);
  return { keys, said, press, rerun };
}

describe('a press of a button', () => {
  test('is the same one whatever the delivery; by another person, or on the check run of another batch, it is not', async () => {
    const { keys, press } = stage(AFTER_APPLY);
    await press('unlock', 'applied');
    await press('unlock', 'applied');
    await press('unlock', 'planned');
    expect(keys()).toEqual([
      'button:applied:unlock:id-of-ann',
      'button:applied:unlock:id-of-ann',
      'button:planned:unlock:id-of-ann',
    ]);
  });

  test('that leads to nothing does not stand in the way of the same press when it may lead to something', async () => {
    const refused = stage(AFTER_APPLY, 'triage');
    await refused.press('unlock', 'applied');
    await refused.press('unlock', 'applied');
    const allowed = stage(AFTER_APPLY);
    await allowed.press('unlock', 'applied');
    const [first, second] = refused.keys();
    expect(first).toMatch(/^button:applied:unlock:id-of-ann:\w{64}$/);
    expect(second).toBe(first);
    expect(allowed.keys()).toEqual(['button:applied:unlock:id-of-ann']);
  });

  test('of Apply counts for the newest batch alone, be it a plan or an apply', async () => {
    const { said, press } = stage(AFTER_APPLY, 'none');
    await press('apply', 'planned');
    expect(said()[0]).toContain('made anew or applied since');
    await press('apply', 'applied');
    expect(said()[1]).toContain('ann has no permission');
  });

  test('of Apply does nothing when newer plans come while its facts are gathered', async () => {
    const planned = buildState({ planBatch: PLANNED, latest: [buildRun({ batch: PLANNED })] });
    const alone = stage(planned);
    await alone.press('apply', 'planned');
    expect(alone.said()[0]).toContain('its plan failed');
    const overtaken = stage(planned, 'write', { ...planned, planBatch: APPLIED });
    await overtaken.press('apply', 'planned');
    expect(overtaken.said()[0]).toContain('made anew or applied since');
  });
});

test('a re-run of a check run is one request, however often it is delivered; of a suite the delivery counts', async () => {
  const { keys, rerun } = stage(AFTER_APPLY);
  await rerun('applied', 'd1');
  await rerun('applied', 'd2');
  await rerun(undefined, 'd3');
  await rerun(undefined, 'd4');
  const [first, second, third, fourth] = keys().map((key) => key.replace(/:\w{64}$/, ''));
  expect([first, second]).toEqual(['rerun:applied:id-of-ann:7', 'rerun:applied:id-of-ann:7']);
  expect([third, fourth]).toEqual(['rerun:d3:7', 'rerun:d4:7']);
});

test('a re-run comes to every pull request of the commit, also after one that fails; what may pass is what is told', async () => {
  const refused = new HostRefusedError('gone', { status: 404 });
  const passing = new Error('busy');
  const { said, rerun } = stage(AFTER_APPLY, 'none', AFTER_APPLY, { 3: refused, 5: passing });
  const error = await rerun('applied', 'd1').catch((thrown: unknown) => thrown);
  expect(said()).toHaveLength(1);
  expect(error).toMatchObject({ cause: passing });
});
