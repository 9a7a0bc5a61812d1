import { randomUUID } from 'node:crypto';
import { type Kysely, type Selectable, sql } from 'kysely';
import type { ProjectKey } from '../../../core/project.ts';
import type { ReportIssue, ReportStore } from '../../../ports/report-store.ts';
import type { Database } from '../schema.ts';
import { transact } from '../transact.ts';
import { insertReply } from './issue-replies.ts';

type IssueCalls = 'findIssue' | 'begin' | 'saved' | 'gone' | 'changedByPeople';

export function toIssue(row: Selectable<Database['drift_issues']>): ReportIssue {
  return {
    id: row.id,
    repositoryId: row.repository_id,
    kind: row.kind,
    projectKey: (row.project_key ?? undefined) as ProjectKey | undefined,
    state: row.state,
    number: row.number ?? undefined,
    url: row.url ?? undefined,
    hash: row.hash ?? undefined,
    fingerprint: row.fingerprint ?? undefined,
    byPeopleAt: row.by_people_at ?? undefined,
    begunAt: row.begun_at,
  };
}

const FORGOTTEN = { number: null, url: null, hash: null, fingerprint: null, by_people_at: null };

/** Which issues are ours, and in which state the host has them. */
export function reportIssues(db: Kysely<Database>): Pick<ReportStore, IssueCalls> {
  return {
    findIssue: async (repositoryId, number) => {
      const row = await db
        .selectFrom('drift_issues')
        .selectAll()
        .where('repository_id', '=', repositoryId)
        .where('number', '=', number)
        .where('state', 'in', ['open', 'closed'])
        .executeTakeFirst();
      return row && toIssue(row);
    },
    begin: async ({ repositoryId, kind, projectKey }) => {
      const fresh = { ...FORGOTTEN, state: 'posting' } as const;
      const key = projectKey ?? null;
      await db
        .insertInto('drift_issues')
        .values({ ...fresh, id: randomUUID(), repository_id: repositoryId, kind, project_key: key })
        .onConflict((conflict) =>
          conflict
            .columns(['repository_id', 'kind', 'project_key'])
            // One that was deleted must not be mistaken for the new one by its id.
            .doUpdateSet({ ...fresh, id: randomUUID(), begun_at: sql`clock_timestamp()` })
            .where('drift_issues.state', '=', 'gone'),
        )
        .execute();
      const row = await db
        .selectFrom('drift_issues')
        .selectAll()
        .where('repository_id', '=', repositoryId)
        .where('kind', '=', kind)
        .where('project_key', 'is not distinct from', key)
        .executeTakeFirstOrThrow();
      return toIssue(row);
    },
    saved: (id, { number, url, state, hash, fingerprint }, sentence) =>
      transact(db, async (trx) => {
        const row = await trx
          .updateTable('drift_issues')
          .set({ number, url, state, hash: hash ?? null, fingerprint: fingerprint ?? null, by_people_at: null })
          .where('id', '=', id)
          .returning('repository_id')
          .executeTakeFirst();
        if (row === undefined || sentence === undefined) return undefined;
        return insertReply(trx, {
          key: `issue:${id}:${randomUUID()}`,
          repositoryId: row.repository_id,
          number,
          view: { kind: 'notice', sentence },
        });
      }),
    gone: async (id) => {
      await db
        .updateTable('drift_issues')
        .set({ ...FORGOTTEN, state: 'gone' })
        .where('id', '=', id)
        .execute();
    },
    changedByPeople: async (id, state, at) => {
      await db
        .updateTable('drift_issues')
        .set({ state, by_people_at: at })
        .where('id', '=', id)
        .where('state', 'in', ['open', 'closed'])
        .where('state', '<>', state)
        .execute();
    },
  };
}
