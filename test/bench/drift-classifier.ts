import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { literals, type ResourceSketch, sketchPlan } from '../support/drift-plan.ts';
import type { Benchmark, Figure } from './figure.ts';
import { estimateMedian, median } from './statistics.ts';

const RESOURCES = 5_000;
const MB = 1_000_000;
const PROGRAM = join(import.meta.dirname, 'classify-plan.ts');
const TIMEOUT_MS = 120_000;

const reading = z.object({ peak: z.number() });
const classified = reading.extend({
  parse: z.number(),
  canonicalize: z.number(),
  classify: z.number(),
  differing: z.number(),
  sync: z.literal('drift'),
});
type Classified = z.infer<typeof classified>;

export const driftClassifier: Benchmark = {
  name: 'drift-classifier',
  about: `one plan of ${RESOURCES} resources, every fifth of them drifted: parsed, digested, classified`,
  run: async ({ pairs, say }) => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-plan-'));
    try {
      const path = join(folder, 'plan.json');
      await writeFile(path, makePlan());
      const { size } = await stat(path);
      const bare = reading.parse(await runProgram(path, 'read'));
      const samples: Classified[] = [];
      for (let at = 0; at <= pairs; at += 1) {
        const one = classified.parse(await runProgram(path));
        if (one.differing !== DRIFTED) throw new Error(`${one.differing} differ, and ${DRIFTED} were changed`);
        say(`  ${at === 0 ? 'warm-up' : at}: ${total(one).toFixed(0)} ms, peak ${(one.peak / MB).toFixed(0)} MB`);
        if (at > 0) samples.push(one);
      }
      return figures(samples, bare.peak, size);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

const DRIFTED = RESOURCES / 5;

async function runProgram(...words: readonly string[]): Promise<unknown> {
  const argv = ['--disable-warning=ExperimentalWarning', PROGRAM, ...words];
  return JSON.parse((await execa(process.execPath, argv, { timeout: TIMEOUT_MS })).stdout);
}

function total({ parse, canonicalize, classify }: Classified): number {
  return parse + canonicalize + classify;
}

/** With what Terraform repeats of every resource beside the changes: prior state, planned values and configuration. */
function makePlan(): string {
  const sketches = Array.from({ length: RESOURCES }, (_, index) => sketch(index));
  const resources = (of: (one: ResourceSketch) => unknown) =>
    sketches.map((one) => ({ address: one.address, type: 'fake_bucket', mode: 'managed', values: of(one) }));
  return JSON.stringify({
    ...sketchPlan(sketches),
    planned_values: { root_module: { resources: resources((one) => one.wanted ?? one.live) } },
    prior_state: { values: { root_module: { resources: resources((one) => one.live) } } },
  });
}

function sketch(index: number): ResourceSketch {
  const applied = values(index);
  const given = literals(applied);
  const address = `fake_bucket.part_${index}`;
  if (index % 5 !== 0) return { address, live: applied, given };
  if (index % 50 === 0) return { address, applied, live: null, wanted: applied, given };
  const live = { ...applied, size: 1, tags: { ...applied.tags, owner: 'console' } };
  return { address, applied, live, wanted: applied, given };
}

function values(index: number) {
  const word = `${index}-${(index * 104_729) % 65_536}`;
  return {
    name: `part-${index}`,
    size: index + 2,
    enabled: index % 3 === 0,
    tags: { owner: 'team', service: `service-${index % 40}`, stage: 'production', cost: `c-${index % 9}` },
    rules: Array.from({ length: 8 }, (_, at) => ({ port: 1_000 + at, cidr: `10.${at}.0.0/16`, note: word })),
    ...Object.fromEntries(Array.from({ length: 15 }, (_, at) => [`attribute_${at}`, `${word} ${'x'.repeat(20)}`])),
  };
}

function figures(samples: readonly Classified[], barePeak: number, bytes: number): readonly Figure[] {
  const half = (of: (one: Classified) => number): number => median(samples.map(of));
  const plan = { 'plan MB': bytes / MB, 'of them drifted': DRIFTED };
  return [
    {
      name: `${RESOURCES} resources: classified in`,
      unit: 'ms',
      samples: samples.length,
      ...estimateMedian(samples.map(total)),
      details: {
        'parse ms': half(({ parse }) => parse),
        'digest ms': half(({ canonicalize }) => canonicalize),
        'classify ms': half(({ classify }) => classify),
        ...plan,
      },
    },
    {
      name: `${RESOURCES} resources: memory, added to the read text`,
      unit: 'MB',
      samples: samples.length,
      ...estimateMedian(samples.map(({ peak }) => (peak - barePeak) / MB)),
      details: { 'peak MB': half(({ peak }) => peak) / MB, 'peak of reading alone MB': barePeak / MB },
    },
  ];
}
