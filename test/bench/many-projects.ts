import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BareTerraform, createBareTerraform, sideBySide } from './bare-terraform.ts';
import { type BenchDatabase, startBenchDatabase } from './bench-database.ts';
import type { Benchmark, Figure } from './figure.ts';
import { measurePairs, type Pair, ratioFigure } from './pairs.ts';
import {
  acceptedAt,
  commentedAt,
  openSilently,
  openStage,
  type Places,
  planIsWhole,
  type PullRequest,
  type Stage,
  waitForComment,
} from './stage.ts';
import { estimateMedian } from './statistics.ts';

const PROJECTS = Array.from({ length: 40 }, (_, index) => `project-${String(index).padStart(2, '0')}`);
const GOAL = 1.1;

/** Terraform's own resource, so that the machine is not busy with starting providers. */
function projectFile(project: string, { stateDirectory }: Places, word: string): string {
  return `terraform {
  backend "local" {
    path = "${stateDirectory}/${project}.tfstate"
  }
}

resource "terraform_data" "part" {
  count = 3
  input = "${word}-\${count.index}"
}
`;
}

function files(places: Places, word: string): Readonly<Record<string, string>> {
  return Object.fromEntries(PROJECTS.map((project) => [`${project}/main.tf`, projectFile(project, places, word)]));
}

interface Round {
  readonly pull: PullRequest;
  readonly statements: number;
}

export const manyProjects: Benchmark = {
  name: 'many-projects',
  about: `one pull request, ${PROJECTS.length} projects: plan, then apply / xargs -P with as many at a time`,
  run: async (options) => {
    await using database = await startBenchDatabase();
    await using stage = await openStage({
      files: (places) => files(places, 'first'),
      environment: { HOLDFAST_DATABASE_URL: database.url, HOLDFAST_PARALLELISM: String(sideBySide()) },
    });
    const bare = await bareSide(stage);
    const statements: number[] = [];
    const applies: Pair[] = [];
    options.say('  plan, and between two plans the apply:');
    const plans = await measurePairs(options, {
      ours: async (round) => {
        const { ms, ...planned } = await plan(stage, database, `round-${round}`);
        const applied = await applyPair(stage, bare, planned, round);
        options.say(`    apply: ours ${applied.ours.toFixed(0)}, bare ${applied.bare.toFixed(0)} ms`);
        if (round > 0) {
          statements.push(planned.statements / PROJECTS.length);
          applies.push(applied);
        }
        return ms;
      },
      bare: async (round) => {
        const pull = await openSilently(stage, change(stage, `bare-${round}`));
        return await bare.run(pull.issue.number, PROJECTS, 'plan', sideBySide());
      },
    });
    stage.github.assertClean();
    return figures(plans, applies, statements);
  },
};

function bareSide(stage: Stage): Promise<BareTerraform> {
  const folder = join(stage.folder, 'bare');
  return mkdir(folder).then(() =>
    createBareTerraform({
      folder,
      cloneUrl: stage.cloneUrl,
      providerMirror: stage.fakecloud.mirrorDirectory,
      ownStates: true,
    }),
  );
}

function change(places: Places, word: string) {
  return { author: 'ann', title: word, branch: word, files: files(places, word) };
}

async function plan(stage: Stage, database: BenchDatabase, word: string): Promise<Round & { readonly ms: number }> {
  const { github, repository } = stage;
  github.clearBooks();
  await database.countStatements();
  const pull = await github.openPullRequest(repository, change(stage, word));
  await waitForComment(stage, pull, (body) => planIsWhole(body, PROJECTS.length), 600_000);
  const ms = commentedAt(stage) - acceptedAt(stage, 'pull_request');
  await stage.quiet();
  return { ms, pull, statements: await database.countStatements() };
}

/** Both sides apply the same change to states of their own. */
async function applyPair(stage: Stage, bare: BareTerraform, { pull }: Round, round: number): Promise<Pair> {
  const byHand = (): Promise<number> => bare.run(pull.issue.number, PROJECTS, 'apply', sideBySide());
  const first = round % 2 === 0 ? undefined : await byHand();
  const ours = await apply(stage, pull);
  const pair = { ours, bare: first ?? (await byHand()) };
  await stage.github.merge(pull, 'ann');
  await stage.quiet();
  return pair;
}

async function apply(stage: Stage, pull: PullRequest): Promise<number> {
  const { github } = stage;
  github.clearBooks();
  github.comment(pull, 'ann', 'holdfast apply');
  const reply = await waitForComment(stage, pull, (body) => body.startsWith('<!-- holdfast:reply:'), 600_000);
  if (!reply.includes('pplied')) throw new Error(`the apply was refused:\n${reply}`);
  const ms = commentedAt(stage) - acceptedAt(stage, 'issue_comment');
  await stage.quiet();
  return ms;
}

function figures(plans: readonly Pair[], applies: readonly Pair[], statements: readonly number[]): readonly Figure[] {
  return [
    ratioFigure(`${PROJECTS.length} projects: plan`, GOAL, plans, { 'side by side': sideBySide() }),
    ratioFigure(`${PROJECTS.length} projects: apply`, GOAL, applies, { 'side by side': sideBySide() }),
    {
      name: `${PROJECTS.length} projects: SQL statements per plan run`,
      unit: 'count',
      samples: statements.length,
      ...estimateMedian(statements),
      details: { 'counted by': 'pg_stat_statements, the queue, progress and idle polling included' },
    },
  ];
}
