import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The rows of one table in one file; an absent table has none, so that another half of the cases can be played, too. */
export function readTable(directory, file, table, list) {
  const tables = JSON.parse(readFileSync(join(directory, `${file}.json`), 'utf8'));
  const found = tables[table]?.[list] ?? [];
  return Array.isArray(found) ? found : Object.entries(found).map(([description, row]) => ({ description, ...row }));
}

/** `{"$go": "[]byte(\"x\")"}` and Go's names for constants. */
export function goText(value) {
  const source = value?.$go ?? value;
  const bytes = /^\[\]byte\((".*")\)$/s.exec(source);
  return bytes ? JSON.parse(bytes[1]) : source;
}

export function isGo(value) {
  return typeof value === 'object' && value !== null && '$go' in value;
}
