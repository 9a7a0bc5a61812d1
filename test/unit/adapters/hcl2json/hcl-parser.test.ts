import { afterAll, describe, expect, test } from 'vitest';
import { createHclParser } from '../../../../src/adapters/hcl2json/index.ts';

const parser = createHclParser();
afterAll(() => parser.close());

const parseOne = async (path: string, text: string) => (await parser.parse([{ path, text }]))[0];

describe('reading configuration files', () => {
  test('HCL and JSON come out in one form, expressions stay text', async () => {
    expect(
      await parser.parse([
        { path: 'a/main.tf', text: 'module "x" {\n  source = "../x"\n  n = file("${path.module}/n")\n}\n' },
        { path: 'a/more.tf.json', text: '{"module": {"y": {"source": "../y"}}}' },
        { path: 'a/only.tofu', text: '' },
      ]),
    ).toEqual([
      { path: 'a/main.tf', body: { module: { x: [{ source: '../x', n: '${file("${path.module}/n")}' }] } } },
      { path: 'a/more.tf.json', body: { module: { y: { source: '../y' } } } },
      { path: 'a/only.tofu', body: {} },
    ]);
  });

  test('a malformed file is told with its line, and the others are read', async () => {
    const parsed = await parser.parse([
      { path: 'd/bad.tf', text: 'ok = 1\nresource "a" {' },
      { path: 'd/bad.tf.json', text: '{"a":' },
      { path: 'd/list.tf.json', text: '[]' },
      { path: 'd/good.tf', text: 'a = 1\n' },
    ]);
    expect(parsed).toEqual([
      { path: 'd/bad.tf', problem: expect.stringMatching(/^d\/bad\.tf:2,\d+-\d+: Unclosed configuration block/) },
      { path: 'd/bad.tf.json', problem: expect.stringMatching(/^d\/bad\.tf\.json: /) },
      { path: 'd/list.tf.json', problem: 'd/list.tf.json: it must hold an object at its top' },
      { path: 'd/good.tf', body: { a: 1 } },
    ]);
  });

  test.each([
    ['brackets without end', `a = ${'['.repeat(200_000)}`],
    ['brackets that do end', `a = ${'['.repeat(50_000)}${']'.repeat(50_000)}\n`],
    ['templates in templates', `a = ${'"${'.repeat(20_000)}`],
    ['blocks in blocks', `${'a {\n'.repeat(30_000)}${'}\n'.repeat(30_000)}`],
    ['zeros', '\0'.repeat(10_000)],
    ['half a surrogate pair', 'a = "\ud800"\n'],
    ['a prototype', '__proto__ {\n  polluted = 1\n}\n'],
    ['too much', `# ${'x'.repeat(5_000_000)}`],
  ])('%s: an answer, and the next file is read as ever', async (_what, text) => {
    const parsed = await parseOne('evil.tf', text);
    expect(parsed?.path).toBe('evil.tf');
    expect(await parseOne('good.tf', 'a = 1\n')).toEqual({ path: 'good.tf', body: { a: 1 } });
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test('a JSON file nested beyond reason is a problem', async () => {
    const text = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(await parseOne('deep.tf.json', text)).toHaveProperty('problem');
    expect(await parseOne('good.tf.json', '{"a":1}')).toHaveProperty('body');
  });

  test('a file that takes too long is given up', async () => {
    const hasty = createHclParser({ fileTimeoutMs: 1 });
    expect(await hasty.parse([{ path: 'a.tf', text: 'a = 1\n' }])).toEqual([
      { path: 'a.tf', problem: 'a.tf: it could not be read (it took too long)' },
    ]);
    await hasty.close();
  });

  test('calls at the same time each get their own answers; an idle parser starts again', async () => {
    const brief = createHclParser({ idleMs: 1 });
    const answers = await Promise.all([1, 2, 3].map((n) => brief.parse([{ path: `${n}.tf`, text: `n = ${n}\n` }])));
    expect(answers.flat()).toEqual([1, 2, 3].map((n) => ({ path: `${n}.tf`, body: { n } })));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await brief.parse([{ path: 'a.tf', text: 'a = 1\n' }])).toEqual([{ path: 'a.tf', body: { a: 1 } }]);
    await brief.close();
  });

  test('five hundred files do not stop this thread', async () => {
    const block = (n: number) => `resource "aws_instance" "r${n}" {\n  ami = "x"\n  tags = { n = ${n} }\n}\n`;
    const files = Array.from({ length: 500 }, (_, index) => ({
      path: `d${index}/main.tf`,
      text: Array.from({ length: 20 }, (_unused, n) => block(n)).join('\n'),
    }));
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 5);
    expect((await parser.parse(files)).filter((file) => 'body' in file).length).toBe(500);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(20);
  });
});
