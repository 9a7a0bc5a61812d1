import { expect, test } from 'vitest';
import type { Decision, PullRequestRecord } from '../../../src/core/record.ts';
import type { VcsHost } from '../../../src/ports/vcs-host.ts';
import { seeTo } from '../../../workers/handle-pull-request.ts';
import type { RunContext } from '../../../workers/run-context.ts';
import { buildAccount, buildPullRequestRecord, buildState, HEAD } from '../../support/builders.ts';

/** The key under which a pull request is planned by itself. */
async function keyOf(some: Partial<PullRequestRecord>): Promise<string | undefined> {
  const decisions: Decision[] = [];
  const pull = { ...buildPullRequestRecord(), ...some };
  const host = { getGitSource: async () => ({}), headRefOf: () => 'refs/pull/7/head' } as unknown as VcsHost;
  const context = {
    config: {
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
    runs: {
      decide: async (_id: string, _version: number, decide: (state: ReturnType<typeof buildState>) => Decision) => {
        decisions.push(decide(buildState({ pull })));
        return { kind: 'decided', wakeups: { runIds: [], pullRequestIds: [], deliveries: [] } };
      },
    },
  } as unknown as RunContext;
  await seeTo(context, host, pull, buildAccount());
  return decisions[0]?.batch?.triggerKey;
}

test('a pull request is planned by itself once for what a plan is made of, whatever else of it changes', async () => {
  const first = await keyOf({});
  expect(first).toBeDefined();
  expect(await keyOf({ version: 9, title: 'other' })).toBe(first);
  expect(await keyOf({ version: 9, planVersion: 2 })).not.toBe(first);
});
