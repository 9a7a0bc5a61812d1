import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CommandReply } from '../../src/core/reply.ts';
import type { PullRequestRecord } from '../../src/core/record.ts';
import { buildRepository } from '../support/builders.ts';
import { createRecordStage, type RecordStage } from '../support/record-stage.ts';

const REFUSED: CommandReply = { kind: 'refused', command: 'holdfast plan', actor: 'mallory', unmet: [] };
const HELP: CommandReply = { kind: 'help', allowed: [], docsUrl: undefined };

let stage: RecordStage;
let pull: PullRequestRecord;
let asked = 0;
beforeAll(async () => {
  stage = await createRecordStage();
});
beforeEach(async () => {
  await stage.forget();
  pull = await stage.open(1);
});

/** How many answers were written down for this. */
async function answer(stranger: string | undefined, view = REFUSED, on = pull): Promise<number> {
  asked += 1;
  const count = async () => (await stage.db.selectFrom('replies').select('id').execute()).length;
  const before = await count();
  const commentId = String(asked);
  const wakeups = await stage.decide(on, {
    replies: [{ key: `comment-${asked}`, kind: 'command', view }],
    reactions: [{ commentId, reaction: 'confused' }],
    ...(stranger === undefined ? {} : { stranger }),
  });
  const given = (await count()) - before;
  const reactions = await stage.db
    .selectFrom('reactions')
    .select('comment_id')
    .where('comment_id', '=', commentId)
    .execute();
  // What is not answered is not reacted to, and nobody is woken for it.
  expect([reactions.length, wakeups.pullRequestIds.length]).toEqual([given, given]);
  return given;
}

describe('people without a say', () => {
  test('are given the same answer once on a pull request, whatever their comments', async () => {
    expect(await answer('mallory')).toBe(1);
    expect(await answer('mallory')).toBe(0);
    expect(await answer('mallory')).toBe(0);
    expect(await stage.auditOf(`pull:${pull.id}`)).toEqual(['test', 'not_given:test', 'not_given:test']);
  });

  test('are given another answer, and so are others, and they themselves elsewhere', async () => {
    await answer('mallory');
    expect(await answer('mallory', HELP)).toBe(1);
    expect(await answer('trudy')).toBe(1);
    expect(await answer('mallory', REFUSED, await stage.open(2))).toBe(1);
  });

  test('are given it again after an hour', async () => {
    await answer('mallory');
    await sql`update replies set created_at = now() - interval '59 minutes'`.execute(stage.db);
    expect(await answer('mallory')).toBe(0);
    await sql`update replies set created_at = now() - interval '61 minutes'`.execute(stage.db);
    expect(await answer('mallory')).toBe(1);
  });

  test('are together answered no more than twenty times an hour in one repository', async () => {
    const given: number[] = [];
    for (let n = 0; n < 22; n += 1) given.push(await answer(`sock-${n}`));
    expect(given.filter((one) => one === 1)).toHaveLength(20);
    const elsewhere = await stage.open(1, { repository: buildRepository({ id: '43', name: 'other' }) });
    expect(await answer('mallory', REFUSED, elsewhere)).toBe(1);
    expect(await answer(undefined)).toBe(1);
  });
});

test('people with a say are always answered', async () => {
  expect([await answer(undefined), await answer(undefined)]).toEqual([1, 1]);
});
