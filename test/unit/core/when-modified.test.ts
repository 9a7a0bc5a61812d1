import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DEFAULT_WHEN_MODIFIED } from '../../../src/core/repository-config.ts';
import { findModified } from '../../../src/core/when-modified.ts';

test.each([
  ['.', ['**/*.tf'], ['main.tf', 'a/b.tf', 'x.md'], ['main.tf', 'a/b.tf']],
  ['project', ['**/*.tf'], ['main.tf', 'project/main.tf', 'project2/main.tf'], ['project/main.tf']],
  ['p', ['*.tf', '!x.tf'], ['p/a.tf', 'p/x.tf', 'p/s/a.tf'], ['p/a.tf']],
  ['p', ['!x.tf', '*.tf'], ['p/x.tf'], ['p/x.tf']],
  ['p', ['**/*.tf', '!sub1/*', '!sub2'], ['p/sub1/a.tf', 'p/sub2/x/a.tf', 'p/sub3/a.tf'], ['p/sub3/a.tf']],
  ['p', ['../modules/**/*.tf'], ['modules/a/b.tf', 'p/modules/a.tf'], ['modules/a/b.tf']],
  ['p', ['sub'], ['p/sub/any/file.md', 'p/sub2/x'], ['p/sub/any/file.md']],
  ['p', ['  *.tf  ', '! x.tf'], ['p/a.tf'], ['p/a.tf']],
  ['a[b]', ['*.tf'], ['a[b]/x.tf', 'ab/x.tf'], ['a[b]/x.tf']],
  ['p', [], ['p/a.tf'], []],
  ['p', ['!a.tf'], ['p/b.tf'], []],
  ['p', ['[', '*.tf'], ['p/b.tf'], ['p/b.tf']],
])('%s %j of %j', (dir, patterns, files, wanted) => {
  expect(findModified(dir, patterns, files)).toEqual(wanted);
});

test('the default list', () => {
  const files = [
    'p/a.tf',
    'p/a.tf.json',
    'p/a.tfvars',
    'p/m/a.tofu',
    'p/a.tofu.json',
    'p/terragrunt.hcl',
    'p/.terraform.lock.hcl',
    'p/readme.md',
    'p/x.hcl',
  ];
  expect(findModified('p', DEFAULT_WHEN_MODIFIED, files)).toEqual(files.slice(0, 7));
});

test('never throws, and only ever finds given files', () => {
  const piece = fc.string({ unit: fc.constantFrom(...'ab*?[]!/.\\{}'), maxLength: 12 });
  fc.assert(
    fc.property(piece, fc.array(piece, { maxLength: 4 }), fc.array(piece, { maxLength: 4 }), (dir, patterns, files) => {
      for (const file of findModified(dir, patterns, files)) expect(files).toContain(file);
    }),
  );
});
