import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { openEmbeddedDatabase } from '../support/story-database.ts';
import { type PlayedStory, playKilledStory } from '../support/story-play.ts';
import { createStoryStage, type StoryStage } from '../support/story-stage.ts';

/** Every story meets one SIGKILL at a moment of chance; a kill meets five stories, each somewhere else on its way. */
const STORIES = Number(process.env['STORIES'] ?? 50);
const AT_ONCE = 5;
/** Stories of a round begin within this time, milliseconds. */
const SPREAD_MS = 2_000;
const TIMEOUT_MS = 20 * 60_000;

const seed = Number(process.env['STORY_SEED'] ?? Date.now() % 1_000_000);

test(
  `${STORIES} stories, each with a SIGKILL at a random moment, end as the undisturbed one does (STORY_SEED=${seed})`,
  async () => {
    const random = createRandom(seed);
    await using stage = await createStoryStage({ stories: STORIES + 1 });
    await stage.start();
    const startedAt = performance.now();
    const undisturbed = await playKilledStory(stage, STORIES + 1);
    const usual = performance.now() - startedAt;
    expect(undisturbed).toMatchObject({ commands: ['holdfast apply'], interrupted: false, end: { version: 2 } });
    const played: PlayedStory[] = [];
    for (let first = 1; first <= STORIES; first += AT_ONCE) {
      const moment = random() * (usual * 1.5 + SPREAD_MS);
      const stories = Array.from({ length: AT_ONCE }, async (_, index) => {
        await delay(random() * SPREAD_MS);
        return playKilledStory(stage, first + index);
      });
      const round = Promise.all(stories);
      // Looked at below; until then a failure must not count as unhandled.
      round.catch(() => undefined);
      await delay(moment);
      await stage.kill();
      await stage.start();
      played.push(...(await round));
      process.stdout.write(`${report(first, moment, played.slice(-AT_ONCE))}\n`);
    }
    for (const story of played) expect(story.end).toEqual(undisturbed.end);
    await checkRecord(stage);
    stage.github.assertClean();
  },
  TIMEOUT_MS,
);

/** What the record says once everything is over: every delivery that got a 202 handled, nothing open, no lock left. */
async function checkRecord(stage: StoryStage): Promise<void> {
  const look = await openEmbeddedDatabase(stage.dataDirectory);
  try {
    await stage.wait('the end of everything', async () => {
      stage.deliverMissed();
      const { rows } = await sql<{ open: number }>`select (
        (select count(*) from deliveries where state = 'received')
        + (select count(*) from runs where state in ('queued', 'claimed', 'running'))
        + (select count(*) from project_locks) + (select count(*) from project_leases)
        + (select count(*) from replies where state in ('wanted', 'posting'))
        + (select count(*) from pull_requests where publish_wanted > publish_done))::int as open`.execute(look.db);
      return rows[0]?.open === 0;
    });
    const accepted = new Set(stage.github.deliveries.filter((one) => one.statusCode === 202).map((one) => one.guid));
    const handled = await look.db.selectFrom('deliveries').select('id').where('state', '=', 'handled').execute();
    const known = new Set(handled.map((row) => row.id));
    expect([...accepted].filter((guid) => !known.has(guid))).toEqual([]);
    const applied = await look.db.selectFrom('runs').select('state').where('operation', '=', 'apply').execute();
    const states = Object.entries(Object.groupBy(applied, (run) => run.state)).map(
      ([state, runs]) => `${runs?.length} ${state}`,
    );
    process.stdout.write(`applies: ${states.join(', ')}\n`);
  } finally {
    await look.close();
  }
}

function report(first: number, moment: number, stories: readonly PlayedStory[]): string {
  const commands = stories.map((story) => `${story.commands.length}${story.interrupted ? '!' : ''}`);
  return `stories ${first} to ${first + stories.length - 1}: killed after ${Math.round(moment)} ms; commands each: ${commands.join(' ')}`;
}

/** mulberry32: small, and the same numbers from the same seed. */
function createRandom(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
