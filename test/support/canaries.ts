import { randomBytes } from 'node:crypto';

/** Secrets that must be seen nowhere, by where they were put. */
export type Canaries<Name extends string> = Readonly<Record<Name, string>>;

/** With characters that URLs, base64 and JSON write differently. */
export function makeCanaries<Name extends string>(names: readonly Name[]): Canaries<Name> {
  const value = (name: Name) => `Canary+${name}/${randomBytes(6).toString('hex')}&tail`;
  return Object.fromEntries(names.map((name) => [name, value(name)])) as Canaries<Name>;
}

/** The ways in which a value may be written, made apart from the program's own list. */
export function writtenForms(value: string): readonly string[] {
  const base64 = [0, 1, 2].flatMap((offset) => {
    const text = Buffer.from('x'.repeat(offset) + value).toString('base64');
    // The first and last characters mix with their neighbours.
    const stable = text.slice(offset === 0 ? 0 : 4, Math.floor(((offset + value.length) * 8) / 24) * 4);
    return [stable, stable.replaceAll('+', '-').replaceAll('/', '_')];
  });
  const html = value.replaceAll('&', '&amp;');
  const json = value.replaceAll('&', '\\u0026');
  const url = encodeURIComponent(value);
  return [...new Set([value, html, json, url, url.toLowerCase(), Buffer.from(value).toString('hex'), ...base64])];
}

/** Names of the canaries that stand in this text or these bytes, in whatever form. */
export function findCanaries(where: string | Buffer, canaries: Readonly<Record<string, string>>): readonly string[] {
  const bytes = typeof where === 'string' ? Buffer.from(where) : where;
  return Object.entries(canaries)
    .filter(([, value]) => writtenForms(value).some((form) => bytes.includes(form)))
    .map(([name]) => name);
}
