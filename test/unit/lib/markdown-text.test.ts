import fc from 'fast-check';
import { marked } from 'marked';
import { describe, expect, test } from 'vitest';
import { defuse, defuseTriggers } from '../../../src/lib/defuse.ts';
import { fenceFor } from '../../../src/lib/markdown-fence.ts';
import { codeSpan, htmlText, link, oneLine, prose, tableCode } from '../../../src/lib/markdown-text.ts';
import { stripControl } from '../../../src/lib/strip-control.ts';
import { hostileText } from '../../support/hostile-text.ts';

const fenced = (content: string) => `${fenceFor(content)}diff\n${content}\n${fenceFor(content)}`;
const html = (markdown: string) => marked.parse(markdown, { async: false, gfm: true });
const text = (markdown: string) =>
  html(markdown)
    .replace(/<[^>]*>/g, '')
    .replaceAll('\u200B', '')
    .replace(/&(amp|lt|gt|quot|#(\d+));/g, (_, name: string, code?: string) =>
      code === undefined ? ({ amp: '&', lt: '<', gt: '>', quot: '"' }[name] ?? '') : String.fromCharCode(Number(code)),
    )
    .trimEnd();

describe('stripControl', () => {
  test.each([
    ['colours', '\u001B[31mred\u001B[0m', 'red'],
    ['hyperlinks', '\u001B]8;;https://evil.example\u0007text\u001B]8;;\u0007', 'text'],
    ['hyperlinks ended by ST', '\u001B]8;;https://evil.example\u001B\\text\u001B]8;;\u001B\\', 'text'],
    ['an unfinished string up to its line end', 'a\u001B]0;title\nb', 'a\nb'],
    ['C1 sequences', '\u009B31mred\u009D0;title\u009Cx', 'redx'],
    ['bidi overrides', 'a\u202Eb\u2066c\u200Fd', 'abcd'],
    ['zero-width and tags', 'a\u200Bb\uFEFFc\u{E0041}d\u00ADe\u3164', 'abcde'],
    ['carriage returns and odd line ends', 'a\r\nb\rc\u2028d\u0085e', 'a\nb\nc\nd\ne'],
    ['backspace, bell, null', 'a\bb\u0007c\u0000', 'abc'],
    ['half a surrogate pair', 'a\uD800b', 'a\uFFFDb'],
  ])('takes away %s', (_, dirty, clean) => {
    expect(stripControl(dirty)).toBe(clean);
  });

  test('keeps tabs, lines and every other letter', () => {
    expect(stripControl('\tä 漢字 😀\n')).toBe('\tä 漢字 😀\n');
  });
});

describe('defuse', () => {
  test.each([
    '@octocat',
    '@org/team',
    'a@b.example',
    '#12',
    'owner/repo#12',
    'GH-12',
    'gh-7',
    'Fixes #1',
    'closes https://github.com/o/r/issues/5',
    'https://github.com/o/r/pull/5',
    'https://gitlab.example/o/r/-/merge_requests/5',
    '!5',
    '&#64;octocat',
    '&#x40;octocat',
    '&commat;octocat',
  ])('breaks %s', (live) => {
    const harmless = defuse(live);
    expect(harmless).not.toBe(live);
    expect(harmless.replaceAll('\u200B', '')).toBe(live);
    expect(harmless).not.toMatch(/@[a-z]|[#!]\d|gh-\d|\/(?:issues|pull|merge_requests)\/\d|&(?:#|commat)/i);
  });

  test('leaves the text of a plan alone', () => {
    const plan = '  # aws_db.main[0] will be created\n  + size = 3 -> 4 # forces replacement\n@@ x @@';
    expect(defuse(plan)).toBe(plan);
  });

  test('breaks our own command at the beginning of a line only', () => {
    expect(
      defuseTriggers('holdfast apply\n  Atlantis plan\n> `holdfast unlock`\nsay holdfast apply', [
        'holdfast',
        'atlantis',
      ]),
    ).toBe('h\u200Boldfast apply\n  A\u200Btlantis plan\n> `h\u200Boldfast unlock`\nsay holdfast apply');
  });
});

describe('text in Markdown', () => {
  test('a fence is longer than any run of backticks inside', () => {
    expect(fenceFor('a\n```\n`````\n')).toBe('``````');
    expect(fenceFor('plain')).toBe('```');
    fc.assert(
      fc.property(hostileText(), (content) => {
        const tokens = marked.lexer(`${fenced(content)}\n\nafter`);
        expect(tokens.filter((token) => token.type !== 'space').map((token) => token.type)).toEqual([
          'code',
          'paragraph',
        ]);
      }),
    );
  });

  test('prose makes no element but code', () => {
    fc.assert(
      fc.property(hostileText(), (content) => {
        const out = html(`x ${prose(content)} y`);
        expect(out.replace(/<\/?(?:p|code)>\n?/g, '')).not.toMatch(/[<>]/);
      }),
    );
  });

  test('prose and code spans read as the text they were', () => {
    for (const raw of [
      '1. a_b_c *x* [y](z) ![i](j) <b> & ~~s~~ $x$ C:\\d',
      '# no heading',
      '- no list',
      'a `terraform init` b',
    ]) {
      expect(text(prose(raw))).toContain(raw.replaceAll('`', ''));
    }
    for (const raw of ['a`b``c', '`', 'module.x["a|b"]', 'plain', '<b>&amp;'])
      expect(text(`x ${codeSpan(raw)}`)).toBe(`x ${raw}`);
  });

  test('code stays within its table cell and links nothing', () => {
    fc.assert(
      fc.property(hostileText(), (content) => {
        const out = html(`| a | b |\n|---|---|\n| ${tableCode(content)} | z |`);
        expect(out.match(/<td>/g)).toHaveLength(2);
        expect(out).toContain('<td>z</td>');
        expect(out).not.toContain('<a ');
      }),
    );
  });

  test('text for HTML holds no tag and no reference', () => {
    expect(htmlText('</summary><img src=x>@a #1')).toBe('&lt;/summary&gt;&lt;img src=x&gt;@\u200Ba #\u200B1');
  });

  test('bare addresses do not become links', () => {
    expect(html(prose('see https://evil.example/x, www.evil.example and a@evil.example'))).not.toContain('<a ');
  });

  test('links go to http and https only and cannot be broken', () => {
    expect(link('x', 'javascript:alert(1)')).toBe('x');
    expect(link('x', 'not a url')).toBe('x');
    expect(html(link('x', 'https://h.example/a)b|c d'))).toBe(
      '<p><a href="https://h.example/a%29b%7Cc%20d">x</a></p>\n',
    );
  });

  test('a cut shows and parts no letter', () => {
    expect(oneLine('abcdef', 4)).toBe('abc…');
    expect(oneLine('ab😀cd', 4)).toBe('ab…');
    expect(oneLine(' a\n\tb ')).toBe('a b');
  });
});
