import { describe, expect, test } from 'vitest';
import { findFileReferences } from '../../../src/core/file-reference.ts';

const find = (text: string) => findFileReferences({ locals: [{ a: text }] });

describe('a file is named', () => {
  test.each([
    'file',
    'filebase64',
    'filemd5',
    'filesha1',
    'filesha256',
    'filesha512',
    'filebase64sha256',
    'filebase64sha512',
    'fileexists',
    'templatefile',
  ])('by %s()', (name) => {
    expect(find(`\${${name}("a.json")}`)).toEqual([{ base: 'root', path: 'a.json' }]);
  });

  test.each([
    ['${file("${path.module}/a.json")}', { base: 'module', path: 'a.json' }],
    ['${file( "${ path.module }/a.json" )}', { base: 'module', path: 'a.json' }],
    ['${file("${path.root}/a.json")}', { base: 'root', path: 'a.json' }],
    ['${file("${path.cwd}/a.json")}', { base: 'root', path: 'a.json' }],
    ['${file("../b/a.json")}', { base: 'root', path: '../b/a.json' }],
    ['${jsondecode(file("a.json")).x}', { base: 'root', path: 'a.json' }],
  ])('in %s', (text, reference) => expect(find(text)).toEqual([reference]));

  test.each([
    '${file(var.path)}',
    '${file("${var.name}.json")}',
    '${file("${path.module}${var.name}.json")}',
    '${file("${path.module}a.json")}',
    '${file("${path.module}/${var.name}.json")}',
    '${file("/etc/passwd")}',
    '${file("a\\n.json")}',
    '${myfile("a.json")}',
    '${files("a.json")}',
    '${file("a.json}',
    '${file("")}',
  ])('not in %s', (text) => expect(find(text)).toEqual([]));

  test('anywhere in a body, keys and all, and once', () => {
    const text = '${file("a")} ${file("b")}';
    const body = { x: [{ y: [null, 1, true, text] }], '${file("c")}': { z: '${file("${path.module}/a")}' }, w: text };
    const found = findFileReferences(body).map(({ base, path }) => `${base} ${path}`);
    expect(found.toSorted()).toEqual(['module a', 'root a', 'root b', 'root c']);
  });

  test('as deep as a pull request likes', () => {
    let body: { readonly a: unknown } = { a: '${file("deep")}' };
    for (let depth = 0; depth < 20_000; depth++) body = { a: body };
    expect(findFileReferences(body as never)).toEqual([{ base: 'root', path: 'deep' }]);
  });
});
