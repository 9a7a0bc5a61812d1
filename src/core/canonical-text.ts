/** JSON in which the order of keys says nothing; undefined for what is not there. */
export function canonicalText(value: unknown): string | undefined {
  return JSON.stringify(value, (_key, item: unknown) => sortKeys(item));
}

function sortKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
