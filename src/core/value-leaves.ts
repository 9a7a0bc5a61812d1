/** Attribute path, such as `tags.team`, `ingress[0].port` or `tags["a.b"]`, and the value at its end. */
export type Leaf = readonly [path: string, value: unknown];

/**
 * All ends of a JSON value. Empty lists and objects are ends too, so that nothing, `[]`, `{}` and `null` stay different;
 * an absent value has none.
 */
export function* valueLeaves(value: unknown, path = ''): Generator<Leaf> {
  if (value === undefined) return;
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) {
    yield [path, value];
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* valueLeaves(item, `${path}[${index}]`);
  } else {
    for (const [key, item] of Object.entries(value)) yield* valueLeaves(item, childPath(path, key));
  }
}

/** Keys that are not plain words are quoted, so that two different places never have one path. */
export function childPath(path: string, key: string): string {
  if (!/^[\w-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}

/** The path itself and those of everything it lies in: `a.b[0]` gives `a.b[0]`, `a.b`, `a`; so does `a.b[*]`, any element. */
export function pathAndParents(path: string): readonly string[] {
  const ends = [...path.matchAll(/(?:\.|\[(?:\d+|\*|"(?:[^"\\]|\\.)*")\])/g)].map((match) => match.index);
  return [path, ...ends.toReversed().map((end) => path.slice(0, end))].filter((part) => part !== '');
}
