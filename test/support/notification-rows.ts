import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Database } from '../../src/adapters/postgres/schema.ts';
import { storableJson } from '../../src/adapters/postgres/storable-json.ts';
import { createPullRequestStore } from '../../src/adapters/postgres/pull-request-store.ts';
import type { DriftEvent } from '../../src/core/drift/notifications.ts';
import { addressTo } from '../../src/core/drift/receivers.ts';
import { buildProject, buildPullRequest, buildRepository, keyOf } from './builders.ts';

interface WantedRow {
  readonly id?: string;
  readonly receiver?: string;
  readonly dir?: string;
  readonly event?: DriftEvent;
  readonly sentence?: string;
  readonly createdAt?: Date;
  readonly dueAt?: Date;
}

/** Puts something to be told into the outbox, about the repository of `buildRepository`; answers its id. */
export async function wantNotification(db: Kysely<Database>, some: WantedRow = {}): Promise<string> {
  const {
    id = randomUUID(),
    receiver = 'ops',
    dir = 'prod',
    event = 'drift_opened',
    sentence = 'Drift was found.',
  } = some;
  await createPullRequestStore(db).save(buildPullRequest());
  const about = { repository: buildRepository(), project: { key: keyOf(dir), project: buildProject({ dir }) } };
  const everything = [{ name: receiver, events: [], repositories: [] }];
  const [told] = addressTo(everything)({ event, key: id, fingerprint: 'f00d', sentence }, about);
  await db
    .insertInto('notifications')
    .values({
      id,
      key: `${receiver}:${id}`,
      receiver,
      event,
      repository_id: 'github.com/42',
      project_key: keyOf(dir),
      payload: storableJson(told?.payload ?? {}),
      ...(some.createdAt && { created_at: some.createdAt }),
      ...(some.dueAt && { due_at: some.dueAt }),
    })
    .execute();
  return id;
}
