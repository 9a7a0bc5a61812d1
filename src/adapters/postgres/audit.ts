import type { Kysely } from 'kysely';
import type { Database } from './schema.ts';
import { storableJson } from './storable-json.ts';

export interface AuditEntry {
  /** A login, or the part of Holdfast that acted. */
  readonly actor: string;
  /** `run:<id>`, `pull:<id>`, `lock:<project key>`. */
  readonly subject: string;
  readonly event: string;
  readonly detail?: object;
}

/** Appends in the transaction of the change it tells of. */
export async function audit(trx: Kysely<Database>, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await trx
    .insertInto('audit_log')
    .values(
      entries.map(({ actor, subject, event, detail }) => ({
        actor,
        subject,
        event,
        detail: storableJson(detail ?? {}),
      })),
    )
    .execute();
}
