import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Handlebars from 'handlebars';
import { codeSpan, htmlText, link, prose, tableCode } from '../lib/markdown-text.ts';
import { countOf, timeText } from './wording.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));
const handlebars = Handlebars.create();

const safe = (markdown: string) => new Handlebars.SafeString(markdown);
const limitOf = (max: unknown) => (typeof max === 'number' ? max : undefined);

// Hostile text enters a template through one of these five only; a test reads the templates for anything else.
handlebars.registerHelper('prose', (text: string, max: unknown) => safe(prose(text, limitOf(max))));
handlebars.registerHelper('code', (text: string, max: unknown) => safe(codeSpan(text, limitOf(max))));
handlebars.registerHelper('cell', (text: string, max: unknown) => safe(tableCode(text, limitOf(max))));
handlebars.registerHelper('html', (text: string, max: unknown) => safe(htmlText(text, limitOf(max))));
handlebars.registerHelper('link', (label: string, url: string | undefined) => safe(link(label, url)));
handlebars.registerHelper('pull', (pull: { pullNumber: number; url: string }) =>
  safe(link(`#${pull.pullNumber}`, pull.url)),
);
handlebars.registerHelper('counted', (count: number, one: string, many: unknown) =>
  countOf(count, one, typeof many === 'string' ? many : undefined),
);
handlebars.registerHelper('instant', (instant: Date | string) => timeText(instant));

const templates = new Map<string, Handlebars.TemplateDelegate>();
for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.hbs')) continue;
  const name = file.slice(0, -'.hbs'.length).replaceAll('\\', '/');
  const text = readFileSync(`${folder}${file}`, 'utf8');
  const options = { strict: true, preventIndent: true };
  templates.set(name, handlebars.compile(text, options));
  // A partial stands in a line of its own making: the end of its file must not end that line.
  handlebars.registerPartial(name, handlebars.compile(text.trimEnd(), options));
}

/** Fills the template of that name (its path below this folder without `.hbs`); a field the template needs and `model` lacks is an error. */
export function fill(name: string, model: object): string {
  const template = templates.get(name);
  if (template === undefined) throw new Error(`there is no template ${name}.hbs in ${folder}`);
  return template(model);
}

/** Fills a template without program output in it; what its unused parts leave behind is tidied away. */
export function fillTidy(name: string, model: object): string {
  const text = fill(name, model)
    .replace(/\n{3,}/g, '\n\n')
    .trim();
  return text === '' ? '' : `${text}\n`;
}
