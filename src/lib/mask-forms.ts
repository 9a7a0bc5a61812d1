/** Shorter values are left alone: masking them would shred ordinary text and tell more than it hides. */
const SHORTEST_SECRET = 6;

/**
 * Every way in which a value is likely to be printed: as it is, each of its lines, in a JSON or HCL string (also one inside the
 * other), in a URL, in hex, and in base64 at each of the three places where it can stand in a longer text.
 */
export function formsOf(value: string): Set<string> {
  const forms = new Set<string>();
  for (const plain of plainForms(value)) {
    for (const form of encodedForms(plain)) forms.add(form);
  }
  return forms;
}

function plainForms(value: string): string[] {
  const whole = value.replace(/\r\n?/g, '\n').trim();
  const lines = whole.split('\n').map((line) => line.trim());
  return [value.trim(), whole, ...lines].filter((text) => text.length >= SHORTEST_SECRET);
}

function encodedForms(plain: string): string[] {
  const bytes = Buffer.from(plain, 'utf8');
  const hex = bytes.toString('hex');
  const json = jsonForms(plain);
  return [
    plain,
    ...json,
    ...json.flatMap(jsonForms),
    ...urlForms(plain),
    hex,
    hex.toUpperCase(),
    ...base64Forms(bytes),
  ];
}

/** JSON as JavaScript writes it, and as Go does: with `<`, `>` and `&` as escapes. HCL's quoted strings escape `${` and `%{` on top. */
function jsonForms(plain: string): string[] {
  const json = JSON.stringify(plain).slice(1, -1);
  const go = json.replace(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
  return [json, go, json.replace(/[$%]\{/g, (opening) => opening.slice(0, 1) + opening)];
}

function urlForms(plain: string): string[] {
  const component = encodeURIComponent(plain.toWellFormed());
  const strict = component.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  const upper = [component, strict, encodeURI(plain.toWellFormed()), strict.replaceAll('%20', '+')];
  return [...upper, ...upper.map((form) => form.replace(/%[\dA-F]{2}/g, (code) => code.toLowerCase()))];
}

/**
 * What does not depend on the neighbours: each base64 character stands for six bits, so at offset 1 and 2 the edges are shared
 * with the bytes next to it and stay; they show at most four bits of the value.
 */
function base64Forms(bytes: Buffer): string[] {
  const padded = bytes.toString('base64');
  const cores = [0, 1, 2].map((offset) => {
    const shifted = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    return shifted.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
  });
  const standard = [padded, padded.replace(/=+$/, ''), ...cores];
  return [...standard, ...standard.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))];
}
