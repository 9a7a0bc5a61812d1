import { expect, test } from 'vitest';
import { createTreeCache } from '../../../../src/adapters/git/tree-cache.ts';
import type { ReadMirror } from '../../../../src/adapters/git/read-mirror.ts';
import { commitSha, type RepositoryRef } from '../../../../src/core/repository.ts';

const REPOSITORY = { host: 'github.com', id: '1', owner: 'acme', name: 'infra' } as RepositoryRef;
const [ONE, TWO] = [commitSha('1'.repeat(40)), commitSha('2'.repeat(40))];

/** A tree of a hundred files, for every commit. */
function mirror() {
  let asked = 0;
  const read = async () => {
    asked += 1;
    const lines = Array.from({ length: 100 }, (_, index) => `100644 blob ${'a'.repeat(40)} 10\tfile${index}\0`);
    return { stdout: lines.join('') };
  };
  return { read: read as unknown as ReadMirror, asked: () => asked };
}

test('the trees of a few commits are listed once, as many as there is room for', async () => {
  const roomy = mirror();
  const large = createTreeCache();
  for (const commit of [ONE, TWO, ONE, TWO]) expect(await large.list(roomy.read, REPOSITORY, commit)).toHaveLength(100);
  expect(roomy.asked()).toBe(2);

  const narrow = mirror();
  const small = createTreeCache(40_000);
  for (const commit of [ONE, TWO, TWO, ONE]) await small.list(narrow.read, REPOSITORY, commit);
  expect(narrow.asked()).toBe(3);
});
