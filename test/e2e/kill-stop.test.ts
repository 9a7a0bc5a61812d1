import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PullRequest } from '../servers/github/state/model.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { createStoryStage, type StoryStage } from '../support/story-stage.ts';

let database: TestDatabase;
let stage: StoryStage;
let stories = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  const environment = { HOLDFAST_DRAIN_GRACE: '8s', HOLDFAST_TIMEOUT_GRACE: '20s' };
  stage = await createStoryStage({ stories: 20, databaseUrl: database.url.reveal(), environment });
  await stage.start();
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});
beforeEach(() => stage.faults([]));
afterEach(async () => {
  stage.github.faults.clear();
  await stage.faults([]);
  if (stopped) await start();
  stage.github.assertClean();
});

let stopped = false;
const stop = (): Promise<number | null> => {
  stopped = true;
  return stage.stop();
};
const start = async (): Promise<void> => {
  await stage.start();
  stopped = false;
};

const idOf = (pull: PullRequest): string => `127.0.0.1/${stage.repository.id}/${pull.issue.number}`;
const runsOf = async (pull: PullRequest) =>
  database.db
    .selectFrom('runs')
    .select(['operation', 'state', 'attempts', 'lease_owner as owner', 'apply_started_at as begun', 'result'])
    .where('pull_request_id', '=', idOf(pull))
    .orderBy('queued_at')
    .execute();
const begin = async (): Promise<{ n: number; pull: PullRequest }> => {
  stories += 1;
  return { n: stories, pull: await stage.open(stories) };
};
const planned = (pull: PullRequest) =>
  stage.wait('the plan', () => stage.statuses(pull)['holdfast/plan'] === 'success' && stage.plans(pull).length === 1);
const plannedStory = async () => {
  const story = await begin();
  await planned(story.pull);
  return story;
};
const hangingPlan = async () => {
  await stage.faults([{ op: 'plan', hang: true }]);
  const story = await begin();
  await stage.wait('the hanging plan', async () => {
    const found = await sql`select 1 from runs where state = 'running' and progress->>'phase' = 'plan'
      and pull_request_id = ${idOf(story.pull)}`.execute(database.db);
    return found.rows[0];
  });
  return story;
};
/** Terraform is applying, and will be for this long. */
const slowApply = async (ms: number) => {
  const story = await plannedStory();
  await stage.faults([{ op: 'update', name: `o${story.n}`, delay_ms: ms }]);
  stage.github.comment(story.pull, 'ann', 'holdfast apply');
  await stage.wait('the apply', async () => (await runsOf(story.pull)).some((run) => run.begun !== null));
  await stage.wait('its progress', async () => {
    const found =
      await sql`select 1 from runs where progress->>'phase' = 'apply' and pull_request_id = ${idOf(story.pull)}`.execute(
        database.db,
      );
    return found.rows[0];
  });
  return story;
};
const lastReply = (pull: PullRequest): string => stage.replies(pull).at(-1) ?? '';
const applyEnded = (pull: PullRequest) =>
  stage.wait(
    'the end of the apply',
    async () => !['queued', 'claimed', 'running'].includes((await runsOf(pull)).at(-1)?.state ?? 'queued'),
  );

describe('SIGTERM', () => {
  test('a plan that goes on for too long is handed back, and planned at the next start as if nothing had been', async () => {
    const story = await hangingPlan();
    expect(await stop()).toBe(0);
    expect(await runsOf(story.pull)).toMatchObject([{ state: 'queued', attempts: 0, owner: null }]);
    await stage.faults([]);
    await start();
    await planned(story.pull);
    expect(await runsOf(story.pull)).toMatchObject([{ state: 'succeeded', attempts: 1 }]);
  });

  test('an apply that ends within the grace is finished, recorded and published before the program ends', async () => {
    const story = await slowApply(1_000);
    expect(await stop()).toBe(0);
    expect((await runsOf(story.pull)).at(-1)).toMatchObject({ state: 'succeeded' });
    expect(await stage.object(story.n)).toMatchObject({ content: 'two', version: 2 });
    expect(stage.statuses(story.pull)['holdfast/apply']).toBe('success');
    await start();
  });

  test('an apply that takes longer is stopped in order: terraform saves its state, and people are told', async () => {
    const story = await slowApply(16_000);
    expect(await stop()).toBe(0);
    const run = (await runsOf(story.pull)).at(-1);
    expect(run?.state).toBe('failed');
    expect(JSON.stringify(run?.result)).toContain('being stopped');
    await stage.faults([]);
    await start();
    stage.github.comment(story.pull, 'ann', 'holdfast plan');
    await stage.wait('the way forward', async () => {
      const last = (await runsOf(story.pull)).at(-1);
      return last?.operation === 'plan' && last.state === 'succeeded';
    });
  });

  test('no new run is begun while it drains', async () => {
    const story = await slowApply(3_000);
    const stopping = stop();
    await stage.wait('the drain', () => stage.holdfast().log().includes('no new runs'));
    await database.db
      .updateTable('runs')
      .set({ state: 'queued', lease_owner: null })
      .where('operation', '=', 'plan')
      .where('pull_request_id', '=', idOf(story.pull))
      .execute();
    expect(await stopping).toBe(0);
    expect((await runsOf(story.pull))[0]).toMatchObject({ operation: 'plan', state: 'queued', owner: null });
    await start();
    await stage.wait('it at the next start', async () => (await runsOf(story.pull))[0]?.state === 'succeeded');
  });
});

describe('cancel', () => {
  test('stops a running plan, and the next command plans again', async () => {
    const story = await hangingPlan();
    stage.github.comment(story.pull, 'ann', 'holdfast cancel');
    await stage.wait('the end', async () => (await runsOf(story.pull))[0]?.state === 'cancelled');
    await stage.wait('the status', () => stage.statuses(story.pull)['holdfast/plan'] === 'failure');
    await stage.faults([]);
    stage.github.comment(story.pull, 'ann', 'holdfast plan');
    await planned(story.pull);
  });

  test('stops a running apply with SIGINT; what it had done is saved, the lock stays, and people are told', async () => {
    const story = await slowApply(10_000);
    stage.github.comment(story.pull, 'ann', 'holdfast cancel');
    await applyEnded(story.pull);
    const run = (await runsOf(story.pull)).at(-1);
    expect(JSON.stringify(run?.result)).toContain('Cancelled by ann');
    await stage.wait('the answer', () => /plan/.test(lastReply(story.pull)) && stage.replies(story.pull).length >= 2);
    const locks = await database.db
      .selectFrom('project_locks')
      .selectAll()
      .where('pull_request_id', '=', idOf(story.pull))
      .execute();
    expect(locks).toHaveLength(1);
    const live = await stage.object(story.n);
    await stage.faults([]);
    stage.github.comment(story.pull, 'ann', 'holdfast plan');
    await stage.wait('the plan after it', async () => {
      const last = (await runsOf(story.pull)).at(-1);
      return last?.operation === 'plan' && last.state === 'succeeded';
    });
    const summary = JSON.stringify((await runsOf(story.pull)).at(-1)?.result);
    expect(summary).toContain(live?.content === 'two' ? '"empty":true' : '"empty":false');
  });
});

test('a pull request that is closed in mid-apply waits for it, and gives its lock back afterwards', async () => {
  const story = await slowApply(8_000);
  await stage.github.closePullRequest(story.pull, 'ann');
  await stage.wait('the close', async () => {
    const row = await sql`select 1 from pull_requests where id = ${idOf(story.pull)} and cleanup_pending`.execute(
      database.db,
    );
    return row.rows[0];
  });
  const held = () =>
    database.db.selectFrom('project_locks').selectAll().where('pull_request_id', '=', idOf(story.pull)).execute();
  expect(await held()).toHaveLength(1);
  await applyEnded(story.pull);
  expect((await runsOf(story.pull)).at(-1)).toMatchObject({ state: 'succeeded' });
  expect(await stage.object(story.n)).toMatchObject({ content: 'two', version: 2 });
  expect(await held()).toEqual([]);
});

describe('two workers on one database', () => {
  test('they share the work, and when one is killed the other takes its plan over', async () => {
    const worker = await stage.startWorker();
    await stage.faults([{ op: 'plan', hang: true, times: 1 }]);
    const { pull } = await begin();
    const held = await stage.wait('the hanging plan', async () => {
      const { rows } = await sql<{ id: string; owner: string }>`select id, lease_owner as owner from runs
        where state = 'running' and progress->>'phase' = 'plan' and pull_request_id = ${idOf(pull)}`.execute(
        database.db,
      );
      return rows[0];
    });
    const victimIsWorker = held.owner.includes(`:${worker.pid}:`);
    if (victimIsWorker) await worker.kill();
    else {
      expect(held.owner).toContain(`:${stage.holdfast().pid}:`);
      stopped = true;
      await stage.kill();
    }
    await stage.faults([]);
    const killedAt = performance.now();
    const taken = await stage.wait('the other', async () => {
      const row = await database.db
        .selectFrom('runs')
        .select(['attempts', 'state'])
        .where('id', '=', held.id)
        .executeTakeFirst();
      return row?.attempts === 2 && row.state === 'succeeded' ? row : undefined;
    });
    expect(taken).toBeDefined();
    expect(performance.now() - killedAt).toBeLessThan(60_000);
    if (victimIsWorker) return;
    await worker.stop();
    await start();
  });
});

describe('a host that is away', () => {
  test('a long outage loses nothing: all is published when it is back', async () => {
    await stage.faults([{ op: 'plan', delay_ms: 2_000, times: 1 }]);
    const story = await begin();
    await stage.wait('the plan on its way', async () => (await runsOf(story.pull))[0]?.state === 'running');
    stage.github.faults.offline = 'unavailable';
    await stage.wait('the plan', async () => (await runsOf(story.pull))[0]?.state === 'succeeded');
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    stage.github.faults.offline = false;
    await planned(story.pull);
  });

  test('a comment that somebody deleted is made again with the next change', async () => {
    const story = await plannedStory();
    const [comment] = stage.github.comments(story.pull);
    stage.repository.comments.delete(comment?.id ?? 0);
    expect(stage.plans(story.pull)).toEqual([]);
    stage.github.comment(story.pull, 'ann', 'holdfast plan');
    await stage.wait(
      'the new comment',
      () => stage.plans(story.pull).length === 1 && stage.plans(story.pull)[0]?.includes('```diff'),
    );
    expect(stage.plans(story.pull)).toHaveLength(1);
  });

  test('a limit of the host is waited for, not fought', async () => {
    const story = await plannedStory();
    stage.github.faults.add({
      method: 'POST',
      path: /\/comments$/,
      status: 403,
      headers: { 'retry-after': '3' },
      body: { message: 'You have exceeded a secondary rate limit.' },
    });
    stage.github.comment(story.pull, 'ann', 'holdfast apply');
    await stage.wait('the answer', () => stage.replies(story.pull).length > 0);
    expect(stage.replies(story.pull)).toHaveLength(1);
  });
});
