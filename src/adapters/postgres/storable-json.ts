/**
 * JSON that PostgreSQL takes into a jsonb column: it refuses U+0000 and lone surrogates
 * (https://www.postgresql.org/docs/18/datatype-json.html), which a provider may well print, and then nothing of the row would be written.
 */
export function storableJson(value: object): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'string' ? part.toWellFormed().replaceAll('\0', '\uFFFD') : part,
  );
}
