import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Handlebars from 'handlebars';
import { countOf, durationText, timeText } from '../comments/wording.ts';
import { stripControl } from '../lib/strip-control.ts';

const folder = fileURLToPath(new URL('./templates/', import.meta.url));
const handlebars = Handlebars.create();

handlebars.registerHelper('instant', (time: Date | undefined) => (time === undefined ? '–' : timeText(time)));
handlebars.registerHelper('machineTime', (time: Date) => time.toISOString());
handlebars.registerHelper('duration', (ms: number | undefined) => durationText(ms) || '–');
handlebars.registerHelper('counted', (count: number, one: string) => countOf(count, one));
handlebars.registerHelper('is', (a: unknown, b: unknown) => a === b);
handlebars.registerHelper('href', (url: unknown) => harmlessAddress(url));

for (const file of readdirSync(folder)) {
  const source = readFileSync(`${folder}${file}`, 'utf8');
  handlebars.registerPartial(file.slice(0, -'.hbs'.length), handlebars.compile(source, { preventIndent: true }));
}
const layout = handlebars.compile('{{> layout}}');

type PageName = 'runs' | 'run' | 'projects' | 'project' | 'locks' | 'notifications' | 'login' | 'error';

/** The whole HTML page. Handlebars escapes every text; what escaping leaves (bidi, terminal codes) is taken out before. */
export function renderPage(body: PageName, model: object): string {
  return layout({ ...(cleaned(model) as object), body });
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return stripControl(value);
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, cleaned(part)]));
}

/** A path on this server or an http(s) URL; nothing for anything else, `javascript:` and `//elsewhere` among it. */
function harmlessAddress(url: unknown): string {
  if (typeof url !== 'string') return '';
  if (/^\/(?![/\\])[^\t\n\r]*$/.test(url)) return url;
  return /^https?:\/\//i.test(url) && URL.canParse(url) ? url : '';
}
