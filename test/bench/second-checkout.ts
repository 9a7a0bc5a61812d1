import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { createGitMirror } from '../../src/adapters/git/create-git-mirror.ts';
import { type CommitSha, commitSha } from '../../src/core/repository.ts';
import { type Benchmark, exactly } from './figure.ts';
import { makeLargeRepository } from './large-repository.ts';
import { measurePairs, ratioFigure } from './pairs.ts';

const RATIO_GOAL = 0.6;
const SIZE = { files: 20_000, commits: 2_000 };
const MEMORY_FILE_SYSTEM = '/dev/shm';
const REPOSITORY = { host: 'bench.test', id: '1', owner: 'acme', name: 'large' };
const REF = 'refs/heads/main';
const TIMEOUT_MS = 5 * 60_000;

export const secondCheckout: Benchmark = {
  name: 'second-checkout',
  about: `the second checkout of a repository with ${SIZE.files} files and ${SIZE.commits} commits, on tmpfs / a fresh clone`,
  run: async (options) => {
    const folder = await realpath(await mkdtemp(join(MEMORY_FILE_SYSTEM, 'holdfast-bench-')));
    try {
      const remote = join(folder, 'remote.git');
      await makeLargeRepository(remote, SIZE);
      const source = { url: `file://${remote}`, username: undefined, password: undefined };
      const directory = join(folder, 'mirrors');
      const mirror = createGitMirror({ directory, timeoutMs: TIMEOUT_MS });
      await mirror.fetch(REPOSITORY, source, [REF]);
      const own = join(directory, REPOSITORY.host, `${REPOSITORY.id}.git`);
      const before = await countObjects(own);
      const checkout = join(folder, 'checkout');
      const pairs = await measurePairs(options, {
        ours: () =>
          inFreshFolder(checkout, async () => {
            const sha = (await mirror.fetch(REPOSITORY, source, [REF])).get(REF);
            await mirror.export(REPOSITORY, present(sha), checkout);
          }),
        bare: () => inFreshFolder(checkout, () => execa('git', ['clone', '--quiet', source.url, checkout])),
      });
      const transferred = (await countObjects(own)) - before;
      return [
        ratioFigure('second checkout of a large repository', RATIO_GOAL, pairs, {}),
        {
          name: 'second checkout: objects transferred',
          unit: 'count',
          goal: 0,
          samples: pairs.length + 1,
          ...exactly(transferred),
          details: {},
        },
      ];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** Making room is nobody's time. */
async function inFreshFolder(folder: string, work: () => Promise<unknown>): Promise<number> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function present(sha: CommitSha | undefined): CommitSha {
  if (sha === undefined) throw new Error('the branch was not fetched');
  return commitSha(sha);
}

/** Loose and packed. */
async function countObjects(gitDir: string): Promise<number> {
  const { stdout } = await execa('git', [`--git-dir=${gitDir}`, 'count-objects', '-v']);
  const figure = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(stdout)?.[1] ?? 0);
  return figure('count') + figure('in-pack');
}
