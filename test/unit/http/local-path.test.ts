import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { localPath } from '../../../src/http/local-path.ts';

describe('where a login leads to', () => {
  test.each(['/runs', '/runs?pull=github.com%2F42%2F7', '/runs/1/log', '/', '/locks?notice=released'])(
    'a path of ours stays: %s',
    (path) => expect(localPath(path)).toBe(path),
  );

  test.each([
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '/.//evil.example',
    '/a/..//evil.example',
    'javascript:alert(1)',
    'runs',
    '',
    undefined,
    ['/runs'],
  ])('anything else becomes the list of runs: %j', (next) => expect(localPath(next)).toBe('/runs'));

  test('whatever is asked for, a browser stays here', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '.',
      '..',
      '\t',
      '\n',
      '\r',
      ' ',
      '@',
      ':',
      'evil.example',
      '%2f',
      '?',
      '#',
      '\0',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const here = 'http://127.0.0.1:4141';
        expect(new URL(localPath(`/${pieces.join('')}`), here).origin).toBe(here);
      }),
      { numRuns: 5_000 },
    );
  });
});
