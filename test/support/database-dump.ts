import pg from 'pg';

/** One value of one row, as bytes. */
export interface StoredValue {
  /** `schema.table.column` */
  readonly where: string;
  readonly value: Buffer;
}

/** Everything that a database holds, of every schema that is not the server's own. */
export async function dumpDatabase(connectionString: string): Promise<readonly StoredValue[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ schema: string; name: string }>(
      `select table_schema as schema, table_name as name from information_schema.tables
       where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
    );
    const values: StoredValue[] = [];
    for (const { schema, name } of tables) {
      const { rows } = await client.query<Record<string, unknown>>(
        `select * from ${client.escapeIdentifier(schema)}.${client.escapeIdentifier(name)}`,
      );
      const cells = rows.flatMap((row) => Object.entries(row));
      values.push(...cells.map(([column, value]) => ({ where: `${schema}.${name}.${column}`, value: toBytes(value) })));
    }
    return values;
  } finally {
    await client.end();
  }
}

function toBytes(value: unknown): Buffer {
  if (Buffer.isBuffer(value)) return value;
  if (value === null || value === undefined) return Buffer.alloc(0);
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
}
