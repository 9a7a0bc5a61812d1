import { expect, test } from 'vitest';
import { createSessionStore } from '../../src/adapters/postgres/session-store.ts';
import { createTestDatabase } from '../support/postgres.ts';

test('a session that was ended stays so until it would have expired, and is forgotten then', async () => {
  await using database = await createTestDatabase();
  const sessions = createSessionStore(database.db);
  expect(await sessions.isEnded('a')).toBe(false);
  await sessions.end('a', new Date(Date.now() + 60_000));
  await sessions.end('a', new Date(Date.now() + 60_000));
  await sessions.end('old', new Date(Date.now() - 1_000));
  await sessions.end('b', new Date(Date.now() + 60_000));
  expect(await Promise.all(['a', 'b', 'old', 'c'].map((id) => sessions.isEnded(id)))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
