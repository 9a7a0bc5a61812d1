import { describe, expect, test } from 'vitest';
import { commitSha, type RepositoryRef } from '../../../src/core/repository.ts';
import { createCommitReader } from '../../../workers/commit-facts.ts';
import type { WorkerContext } from '../../../workers/context.ts';

const REPOSITORY = { host: 'github.com', id: '1', owner: 'acme', name: 'infra' } as RepositoryRef;
const sha = (digit: number) => commitSha(String(digit).repeat(40));

/** Commits of `count` folders each, whose files have another content in every commit. */
function stage(count: number, memory: Parameters<typeof createCommitReader>[1]) {
  const listed: string[] = [];
  let parsed = 0;
  const pathsOf = Array.from({ length: count }, (_, index) => `root${index}/main.tf`);
  const mirror = {
    listFiles: async (_repository: RepositoryRef, commit: string) => {
      listed.push(commit.slice(0, 1));
      return pathsOf.map((path) => ({ path, oid: `${commit}${path}`, kind: 'file', size: 10 }));
    },
    readFiles: async (_repository: RepositoryRef, _sha: string, paths: readonly string[]) =>
      new Map(paths.map((path) => [path, 'terraform { backend "s3" {} }'])),
  };
  const hcl = {
    parse: async (files: readonly { readonly path: string }[]) => {
      parsed += files.length;
      return files.map(({ path }) => ({ path, body: { terraform: [{ backend: { s3: [{}] } }] } }));
    },
  };
  const context = { mirror, hcl, config: { terraform: { distribution: 'terraform' } } };
  const reader = createCommitReader(context as unknown as WorkerContext, memory);
  const read = async (digit: number) => [...(await reader.read(REPOSITORY, sha(digit))).configuration.keys()];
  return { read, listed, parsed: () => parsed };
}

const LARGE = 1024 ** 3;

describe('what is remembered of commits', () => {
  test('is a commit that was read before, as long as there is room', async () => {
    const { read, listed } = stage(10, { commits: LARGE, files: LARGE });
    for (const digit of [1, 2, 1, 2]) await read(digit);
    expect(listed).toEqual(['1', '2']);
  });

  test('is bounded by bytes, not by a number of commits', async () => {
    // One commit of ten folders takes about 15 kB.
    const { read, listed } = stage(10, { commits: 25_000, files: LARGE });
    for (const digit of [1, 2, 1]) await read(digit);
    expect(listed).toEqual(['1', '2', '1']);
  });

  test('is a parsed file with the same content, whatever commit it is in', async () => {
    const { read, parsed } = stage(10, { commits: 0, files: LARGE });
    for (const digit of [1, 1]) await read(digit);
    expect(parsed()).toBe(10);
  });

  test('may be too little for one commit, of which nothing is lost', async () => {
    const { read, parsed } = stage(50, { commits: LARGE, files: 5_000 });
    expect(await read(1)).toHaveLength(50);
    expect(parsed()).toBe(50);
  });
});
