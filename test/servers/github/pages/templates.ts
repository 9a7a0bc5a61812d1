import { readFileSync } from 'node:fs';
import Handlebars from 'handlebars';

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');

function compileAll() {
  const handlebars = Handlebars.create();
  // Indented by where a partial stands, the lines of a code block in it would be, too.
  const options = { preventIndent: true };
  const compile = (name: string) => handlebars.compile(read(name), options);
  for (const name of ['opening', 'comment', 'event']) handlebars.registerPartial(name, compile(`${name}.hbs`));
  const css = read('style.css');
  const layout = compile('layout.hbs');
  const page = (title: string, body: string, fullName?: string) => layout({ title, body, css, fullName });
  return {
    page,
    index: compile('index.hbs'),
    pull: compile('pull.hbs'),
    timeline: compile('timeline.hbs'),
    issue: compile('issue.hbs'),
    issueTimeline: compile('issue-timeline.hbs'),
    script: read('conversation.client.js'),
  };
}

let compiled: ReturnType<typeof compileAll> | undefined;

/** Compiled when the first page is asked for, so that a test that looks at none pays nothing. */
export function templates(): ReturnType<typeof compileAll> {
  compiled ??= compileAll();
  return compiled;
}
