import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BenchDatabase, startBenchDatabase } from './bench-database.ts';
import { type BareTerraform, createBareTerraform } from './bare-terraform.ts';
import { type Benchmark, exactly, type Figure } from './figure.ts';
import { measurePairs, type Pair, ratioFigure } from './pairs.ts';
import { medianPhases, readRunPhases, type RunPhases } from './run-phases.ts';
import {
  acceptedAt,
  commentedAt,
  openSilently,
  openStage,
  type Places,
  planIsWhole,
  type Stage,
  waitForComment,
} from './stage.ts';

const PROJECT = 'app';
const RESOURCES = 10;
const GOALS = { ratio: 1.35, calls: 12, writes: 4 };

/** The objects exist before the first pair; each pull request changes one of them. */
function projectFile({ cloudDirectory, stateDirectory }: Places, content: string): string {
  return `terraform {
  required_providers {
    fakecloud = {
      source  = "holdfast/fakecloud"
      version = "~> 1.0"
    }
  }
  backend "local" {
    path = "${stateDirectory}/app.tfstate"
  }
}

provider "fakecloud" {
  dir = "${cloudDirectory}"
}

resource "fakecloud_object" "part" {
  count   = ${RESOURCES}
  name    = "part-\${count.index}"
  content = count.index == 0 ? "${content}" : "unchanged"
}
`;
}

/** What one plan cost the host. */
interface Traffic {
  readonly calls: number;
  readonly writes: number;
  /** What was written, in order. */
  readonly order: string;
  readonly phases: RunPhases;
}

export const onePullRequest: Benchmark = {
  name: 'one-pull-request',
  about: 'one pull request, one project of 10 resources: webhook accepted to final comment / git and terraform by hand',
  run: async (options) => {
    await using database = await startBenchDatabase();
    await using stage = await openStage({
      files: (places) => ({ 'app/main.tf': projectFile(places, 'first') }),
      environment: { HOLDFAST_DATABASE_URL: database.url },
    });
    const bare = await bareSide(stage);
    const traffic: Traffic[] = [];
    const pairs = await measurePairs(options, {
      ours: async (round) => {
        const { ms, ...cost } = await planWithHoldfast(stage, database, `ours-${round}`);
        if (round > 0) traffic.push(cost);
        return ms;
      },
      bare: (round) => planByHand(stage, bare, `bare-${round}`),
    });
    stage.github.assertClean();
    return figures(pairs, traffic);
  },
};

/** Fills the state with the objects of the base branch. */
async function bareSide(stage: Stage): Promise<BareTerraform> {
  const folder = join(stage.folder, 'bare');
  await mkdir(folder);
  const bare = await createBareTerraform({
    folder,
    cloneUrl: stage.cloneUrl,
    providerMirror: stage.fakecloud.mirrorDirectory,
    ownStates: false,
  });
  const pull = await openSilently(stage, change(stage, 'zeroth'));
  await bare.run(pull.issue.number, [PROJECT], 'apply', 1);
  return bare;
}

function change(places: Places, content: string) {
  return { author: 'ann', title: content, branch: content, files: { 'app/main.tf': projectFile(places, content) } };
}

async function planByHand(stage: Stage, bare: BareTerraform, content: string): Promise<number> {
  const pull = await openSilently(stage, change(stage, content));
  return await bare.run(pull.issue.number, [PROJECT], 'plan', 1);
}

async function planWithHoldfast(
  stage: Stage,
  database: BenchDatabase,
  content: string,
): Promise<Traffic & { readonly ms: number }> {
  const { github, repository } = stage;
  github.clearBooks();
  const pull = await github.openPullRequest(repository, change(stage, content));
  await waitForComment(stage, pull, (body) => planIsWhole(body, 1));
  const [from, to] = [acceptedAt(stage, 'pull_request'), commentedAt(stage)];
  await stage.quiet();
  const phases = await readRunPhases(database, from, to);
  const { calls, writes } = github.counts;
  const order = github.requests.filter(({ method }) => method !== 'GET').map(({ operation }) => operation);
  // The lock goes with the pull request, so that the next one meets none.
  await github.closePullRequest(pull, 'ann');
  await stage.quiet();
  return { ms: to - from, calls, writes, order: order.join(' > '), phases };
}

function figures(pairs: readonly Pair[], traffic: readonly Traffic[]): readonly Figure[] {
  const most = (of: (one: Traffic) => number): number => Math.max(...traffic.map(of));
  const samples = traffic.length;
  const order = traffic.findLast(() => true)?.order ?? '';
  return [
    ratioFigure('one pull request: plan', GOALS.ratio, pairs, medianPhases(traffic.map(({ phases }) => phases))),
    {
      name: 'one pull request: API calls, most',
      unit: 'count',
      goal: GOALS.calls,
      samples,
      ...exactly(most(({ calls }) => calls)),
      details: {},
    },
    {
      name: 'one pull request: writes, most',
      unit: 'count',
      goal: GOALS.writes,
      samples,
      ...exactly(most(({ writes }) => writes)),
      details: { order },
    },
  ];
}
