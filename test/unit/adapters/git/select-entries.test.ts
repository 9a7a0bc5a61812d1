import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { selectEntries } from '../../../../src/adapters/git/select-entries.ts';
import type { TreeEntry } from '../../../../src/ports/repository-mirror.ts';

const OID = 'a'.repeat(40);
const file = (path: string): TreeEntry => ({ path, oid: OID, kind: 'file', size: 1 });
const link = (path: string): TreeEntry => ({ path, oid: OID, kind: 'symlink', size: 1 });

const part = fc.oneof(
  fc.constantFrom(
    '..',
    '.',
    '',
    '.git',
    '.GiT',
    'git~1',
    'a',
    'b',
    'd',
    '.git. .',
    'x\\.git',
    '.git:x',
    'é',
    '\u{200d}.git',
  ),
  fc.string({ maxLength: 6, unit: 'binary' }),
);
const path = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));

/** Where the kernel would end, with links replaced; undefined when it is outside or never ends. */
function follow(start: string, targets: ReadonlyMap<string, string>): string | undefined {
  let parts = start.split('/');
  for (let steps = 0; steps < 100; steps += 1) {
    const at = parts.findIndex((_, index) => targets.has(parts.slice(0, index + 1).join('/')));
    if (at < 0) return parts.join('/');
    const target = targets.get(parts.slice(0, at + 1).join('/')) ?? '';
    if (target.startsWith('/')) return undefined;
    const walked = parts.slice(0, at);
    const rest = [...target.split('/'), ...parts.slice(at + 1)];
    while (rest.length > 0) {
      const next = rest.shift() ?? '';
      if (next === '' || next === '.') continue;
      if (next === '..') {
        if (walked.length === 0) return undefined;
        walked.pop();
      } else {
        walked.push(next);
        if (targets.has(walked.join('/'))) break;
      }
    }
    parts = [...walked, ...rest];
  }
  return undefined;
}

describe('what of a tree is written', () => {
  test('no path that is written leads out, into .git, or below a file', () => {
    fc.assert(
      fc.property(fc.array(path, { maxLength: 12 }), (paths) => {
        const { write, refused } = selectEntries(paths.map(file), new Map());
        expect(write.length + refused.length).toBe(paths.length);
        const written = write.map((entry) => entry.path);
        expect(new Set(written).size).toBe(written.length);
        for (const name of written) {
          expect(name.split('/')).not.toContain('..');
          expect(name).not.toMatch(/(^|\/)(\.git|git~1)(\/|$)/i);
          expect(name.startsWith('/')).toBe(false);
          expect(written.some((other) => other.startsWith(`${name}/`))).toBe(false);
        }
      }),
    );
  });

  test('no symlink that is written ends outside, whatever the others are', () => {
    const names = ['l', 'm', 'd/n', 'd/e/o'];
    const target = fc.array(fc.constantFrom('..', '.', 'l', 'm', 'd', 'n', 'e', 'o', 'x', ''), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(fc.array(target, { minLength: 4, maxLength: 4 }), (chosen) => {
        const targets = new Map(names.map((name, index) => [name, (chosen[index] ?? []).join('/')]));
        const { write } = selectEntries(names.map(link), targets);
        const written = new Map(write.map((entry) => [entry.path, targets.get(entry.path) ?? '']));
        for (const name of written.keys()) expect(follow(name, written)).toBeDefined();
      }),
      { numRuns: 2_000 },
    );
  });

  test('plain names pass at a pace that does not show', () => {
    const entries = Array.from({ length: 20_000 }, (_, index) => file(`env${index % 100}/svc/f${index}.tf`));
    const started = performance.now();
    expect(selectEntries(entries, new Map()).write.length).toBe(20_000);
    expect(performance.now() - started).toBeLessThan(500);
  });

  test('a hundred thousand links that lead through each other are judged in bounded time', () => {
    const entries = Array.from({ length: 100_000 }, (_, index) => link(`l${index}`));
    const targets = new Map(entries.map((entry, index) => [entry.path, `l${index + 1}/${'a/../'.repeat(500)}`]));
    const started = performance.now();
    expect(selectEntries(entries, targets).refused.length).toBeGreaterThan(90_000);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
