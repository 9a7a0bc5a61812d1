import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PullRequest } from '../servers/github/state/model.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { createStoryStage, type StoryStage } from '../support/story-stage.ts';

/** As in the claim of a run; whoever holds it keeps every worker from claiming. */
const CLAIM_LOCK = 7_301_441_020_001;

let database: TestDatabase;
let stage: StoryStage;
let stories = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  stage = await createStoryStage({ stories: 20, databaseUrl: database.url.reveal() });
  await stage.start();
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});
beforeEach(() => stage.faults([]));
afterEach(async () => {
  stage.github.faults.clear();
  await stage.faults([]);
  stage.github.assertClean();
});

const begin = async (): Promise<{ n: number; pull: PullRequest }> => {
  stories += 1;
  return { n: stories, pull: await stage.open(stories) };
};
const idOf = (pull: PullRequest): string => `127.0.0.1/${stage.repository.id}/${pull.issue.number}`;
const runsOf = async (pull: PullRequest) =>
  database.db
    .selectFrom('runs')
    .select(['operation', 'state', 'attempts', 'apply_started_at as begun', 'result'])
    .where('pull_request_id', '=', idOf(pull))
    .orderBy('queued_at')
    .execute();
const locksOf = async (pull: PullRequest) =>
  database.db.selectFrom('project_locks').select('project_key').where('pull_request_id', '=', idOf(pull)).execute();
const planned = (pull: PullRequest) =>
  stage.wait(
    'the plan',
    () =>
      stage.plans(pull).some((body) => body.includes('```diff')) && stage.statuses(pull)['holdfast/plan'] === 'success',
  );
const answered = (pull: PullRequest, text: string, answers = 1) =>
  stage.wait(`an answer with "${text}"`, () => {
    const replies = stage.replies(pull);
    return replies.length >= answers && replies.at(-1)?.includes(text);
  });
const apply = (pull: PullRequest) => stage.github.comment(pull, 'ann', 'holdfast apply');
/** The rest of every story: applied exactly once, one plan comment, nothing pending, and after the merge no lock. */
const finish = async ({ n, pull }: { n: number; pull: PullRequest }): Promise<void> => {
  await stage.wait('the apply status', () => stage.statuses(pull)['holdfast/apply'] === 'success');
  expect(await stage.object(n)).toMatchObject({ content: 'two', version: 2 });
  expect(stage.plans(pull)).toHaveLength(1);
  await stage.github.merge(pull, 'ann');
  await stage.wait('the locks given back', async () => (await locksOf(pull)).length === 0);
  await stage.wait('the end of all deliveries', async () => {
    const open = await sql`select 1 from deliveries where state <> 'handled'`.execute(database.db);
    const behind = await sql`select 1 from pull_requests where publish_wanted > publish_done`.execute(database.db);
    return open.rows.length + behind.rows.length === 0;
  });
  expect(Object.values(stage.statuses(pull))).not.toContain('pending');
  expect(stage.plans(pull)).toHaveLength(1);
};
const restart = async (): Promise<void> => {
  await stage.kill();
  stage.github.faults.clear();
  await stage.faults([]);
  await stage.start();
};
const plannedStory = async () => {
  const story = await begin();
  await planned(story.pull);
  return story;
};

describe('killed before the plan', () => {
  test('while a stored delivery is being handled: it is handled at the next start, within seconds', async () => {
    stage.github.faults.add({ method: 'GET', path: /\/pulls\/\d+$/, delayMs: 60_000 });
    const hits = stage.github.faults.hits;
    const story = await begin();
    await stage.wait('the question to the host', () => stage.github.faults.hits > hits);
    await restart();
    const startedAt = performance.now();
    await stage.wait('the decision', async () => (await runsOf(story.pull)).length > 0);
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    await planned(story.pull);
    apply(story.pull);
    await finish(story);
  });

  test('after the decision, before any run was claimed', async () => {
    const holder = new pg.Client({ connectionString: database.url.reveal() });
    await holder.connect();
    await holder.query('select pg_advisory_lock($1::bigint)', [CLAIM_LOCK]);
    const story = await begin();
    await stage.wait('the decision', async () => (await runsOf(story.pull)).length > 0);
    expect(await runsOf(story.pull)).toMatchObject([{ state: 'queued' }]);
    await stage.kill();
    await holder.end();
    await stage.start();
    await planned(story.pull);
    apply(story.pull);
    await finish(story);
  });

  test('as soon as the run is claimed', async () => {
    const story = await begin();
    await stage.wait('the claim', async () => (await runsOf(story.pull)).some((run) => run.state !== 'queued'));
    await restart();
    await planned(story.pull);
    apply(story.pull);
    await finish(story);
  });

  test('in the middle of terraform plan: the next start plans again at once', async () => {
    await stage.faults([{ op: 'plan', hang: true }]);
    const story = await begin();
    await stage.wait(
      'the hanging plan',
      async () =>
        (await sql`select 1 from runs where state = 'running' and progress->>'phase' = 'plan'`.execute(database.db))
          .rows[0],
    );
    await restart();
    const startedAt = performance.now();
    await stage.wait('the second attempt', async () => (await runsOf(story.pull))[0]?.attempts === 2);
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    await planned(story.pull);
    expect(await runsOf(story.pull)).toMatchObject([{ operation: 'plan', state: 'succeeded', attempts: 2 }]);
    apply(story.pull);
    await finish(story);
  });
});

describe('killed while people are told of the plan', () => {
  test('the plan is recorded and nothing could be published', async () => {
    stage.github.faults.add({ method: 'POST', path: /\/comments$/, status: 503, times: 1000 });
    const story = await begin();
    await stage.wait('the plan', async () => (await runsOf(story.pull))[0]?.state === 'succeeded');
    expect(stage.plans(story.pull)).toEqual([]);
    await restart();
    await planned(story.pull);
    expect(await runsOf(story.pull)).toHaveLength(1);
    apply(story.pull);
    await finish(story);
  });

  test('the comment was posted and its id not recorded: it is found, not posted again', async () => {
    stage.github.faults.add({ method: 'POST', path: /\/comments$/, delayMs: 500 });
    const hits = stage.github.faults.hits;
    const story = await begin();
    await stage.wait('the POST', () => stage.github.faults.hits > hits);
    await stage.kill();
    await stage.wait('the comment', () => stage.plans(story.pull).length === 1);
    await stage.start();
    await planned(story.pull);
    expect(stage.plans(story.pull)).toHaveLength(1);
    apply(story.pull);
    await finish(story);
  });
});

describe('killed on the way to the apply', () => {
  test('while the gate asks the host: nothing was applied, it is said, and the plan may be applied again', async () => {
    const story = await plannedStory();
    const holder = new pg.Client({ connectionString: database.url.reveal() });
    await holder.connect();
    await holder.query('select pg_advisory_lock($1::bigint)', [CLAIM_LOCK]);
    apply(story.pull);
    await stage.wait('the decision', async () => (await runsOf(story.pull)).length === 2);
    stage.github.faults.add({ method: 'GET', path: /\/pulls\/\d+$/, delayMs: 60_000 });
    const hits = stage.github.faults.hits;
    await holder.end();
    await stage.wait('the gate', () => stage.github.faults.hits > hits);
    await restart();
    await answered(story.pull, 'Nothing was applied');
    expect(await stage.object(story.n)).toMatchObject({ content: 'one' });
    expect((await runsOf(story.pull)).at(-1)).toMatchObject({ operation: 'apply', state: 'failed', begun: null });
    apply(story.pull);
    await finish(story);
  });

  test('while the plan is verified: nothing was applied', async () => {
    const story = await plannedStory();
    await stage.faults([{ op: 'plan', hang: true }]);
    apply(story.pull);
    await stage.wait(
      'the hanging verification',
      async () =>
        (
          await sql`select 1 from runs where operation = 'apply' and state = 'running' and progress->>'phase' = 'plan'`.execute(
            database.db,
          )
        ).rows[0],
    );
    await restart();
    await answered(story.pull, 'Nothing was applied');
    apply(story.pull);
    await finish(story);
  });
});

describe('killed while terraform applies', () => {
  test.each([
    { when: 'before the object changed', op: 'update', content: 'one' },
    { when: 'after the object changed, before the state was saved', op: 'after_update', content: 'two' },
  ] as const)(
    '$when: interrupted, said, locked, never run again by itself; plan is the way forward',
    async ({ op, content }) => {
      const story = await plannedStory();
      await stage.faults([{ op, hang: true, name: `o${story.n}` }]);
      apply(story.pull);
      await stage.wait('the apply', async () => (await runsOf(story.pull)).some((run) => run.begun !== null));
      await stage.wait('the object', async () => op === 'update' || (await stage.object(story.n))?.content === 'two');
      await restart();
      await answered(story.pull, 'unknown');
      expect((await runsOf(story.pull)).at(-1)).toMatchObject({
        operation: 'apply',
        state: 'interrupted',
        attempts: 1,
      });
      await stage.wait('the status', () => stage.statuses(story.pull)['holdfast/apply'] === 'error');
      expect(await locksOf(story.pull)).toHaveLength(1);
      expect(await stage.object(story.n)).toMatchObject({ content });
      apply(story.pull);
      await answered(story.pull, 'plan', 2);
      expect(await runsOf(story.pull)).toHaveLength(2);
      stage.github.comment(story.pull, 'ann', 'holdfast plan');
      await stage.wait('the new plan', async () => (await runsOf(story.pull)).at(-1)?.state === 'succeeded');
      if (content === 'one') apply(story.pull);
      await finish(story);
    },
  );

  test('the apply is done and recorded, and nobody was told: told once', async () => {
    const story = await plannedStory();
    stage.github.faults.add({ method: 'POST', path: /\/comments$/, status: 503, times: 1000 });
    apply(story.pull);
    await stage.wait('the apply', async () => (await runsOf(story.pull)).at(-1)?.state === 'succeeded');
    await restart();
    await stage.wait('the answer', () => stage.replies(story.pull).length > 0);
    await finish(story);
    expect(stage.replies(story.pull).filter((body) => body.includes('pplied'))).toHaveLength(1);
  });

  test('the answer was posted and not recorded: it is found, not posted again', async () => {
    const story = await plannedStory();
    stage.github.faults.add({ method: 'POST', path: /\/comments$/, delayMs: 500 });
    apply(story.pull);
    await stage.wait(
      'the POST',
      async () =>
        (
          await sql`select 1 from replies where state = 'posting' and pull_request_id = ${idOf(story.pull)}`.execute(
            database.db,
          )
        ).rows[0],
    );
    await stage.kill();
    await stage.wait('the comment', () => stage.replies(story.pull).length === 1);
    await stage.start();
    await finish(story);
    // The other one tells of the locks that the merge gave back.
    expect(stage.replies(story.pull).filter((body) => body.includes('pplied'))).toHaveLength(1);
  });
});
