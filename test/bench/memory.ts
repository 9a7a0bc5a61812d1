import { setTimeout as delay } from 'node:timers/promises';
import type { Benchmark, BenchmarkOptions, Figure } from './figure.ts';
import { treeMemory } from './process-tree.ts';
import { openStage, planIsWhole, type Stage, waitForComment } from './stage.ts';
import { estimateMedian } from './statistics.ts';

const REST_GOAL_MB = 250;
const GROWTH_GOAL = 1.1;
const MB = 1_000_000;
/** Longer than anything that is kept for the next job: the parser's thread (30 s), idle connections (10 s). */
const REST_MS = 45_000;
const SAMPLES = 10;
const PROJECTS = Array.from({ length: 20 }, (_, index) => `project-${index}`);

function files(word: string): Readonly<Record<string, string>> {
  const text = `resource "terraform_data" "part" {\n  input = "${word}"\n}\n`;
  return Object.fromEntries(PROJECTS.map((project) => [`${project}/main.tf`, text]));
}

function openMemoryStage(): Promise<Stage> {
  // The host is ours: waiting for its budget would be most of what is done.
  const environment = { HOLDFAST_GITHUB_WRITES_PER_MINUTE: '10000', HOLDFAST_GITHUB_WRITES_PER_HOUR: '100000' };
  return openStage({ files: () => files('first'), environment });
}

export const memoryAtRest: Benchmark = {
  name: 'memory-at-rest',
  about: 'the whole tree of `holdfast serve` with its database, after a pull request and a rest',
  run: async ({ say }) => {
    await using stage = await openMemoryStage();
    await planAll(stage, 'at-rest');
    say(`  waiting ${REST_MS / 1000} s for it to come to rest ...`);
    const samples = await samplesAtRest(stage);
    return [
      {
        name: 'memory at rest, with database',
        unit: 'MB',
        goal: REST_GOAL_MB,
        samples: samples.length,
        ...estimateMedian(samples.map((bytes) => bytes / MB)),
        details: {},
      },
    ];
  },
};

export const memoryGrowth: Benchmark = {
  name: 'memory-growth',
  about: 'memory at rest after many runs / after run 100',
  long: true,
  run: async (options) => {
    await using stage = await openMemoryStage();
    const early = await samplesAfter(stage, options, 0, 100);
    const late = await samplesAfter(stage, options, 100, options.runs);
    return [growth(early, late, options.runs)];
  },
};

function growth(early: readonly number[], late: readonly number[], runs: number): Figure {
  return {
    name: `memory after run ${runs} / after run 100`,
    unit: 'ratio',
    goal: GROWTH_GOAL,
    samples: late.length,
    ...estimateMedian(late.map((bytes, at) => bytes / (early[at] ?? Number.NaN))),
    details: { 'early MB': (early[0] ?? 0) / MB, 'late MB': (late[0] ?? 0) / MB },
  };
}

async function samplesAfter(
  stage: Stage,
  { say }: BenchmarkOptions,
  from: number,
  to: number,
): Promise<readonly number[]> {
  for (let done = from; done < to; done += PROJECTS.length) {
    await planAll(stage, `after-${done}`);
    say(`  ${done + PROJECTS.length} runs: ${((await treeMemory(stage.holdfast.pid)) / MB).toFixed(0)} MB`);
  }
  return samplesAtRest(stage);
}

async function samplesAtRest(stage: Stage): Promise<readonly number[]> {
  await delay(REST_MS);
  const samples: number[] = [];
  for (let at = 0; at < SAMPLES; at += 1) {
    samples.push(await treeMemory(stage.holdfast.pid));
    await delay(500);
  }
  return samples;
}

async function planAll(stage: Stage, word: string): Promise<void> {
  const { github, repository } = stage;
  github.clearBooks();
  const order = { author: 'ann', title: word, branch: word, files: files(word) };
  const pull = await github.openPullRequest(repository, order);
  await waitForComment(stage, pull, (body) => planIsWhole(body, PROJECTS.length), 600_000);
  await github.closePullRequest(pull, 'ann');
  await stage.quiet();
}
