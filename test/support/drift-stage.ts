import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { canonicalizePlan } from '../../src/core/canonical-plan.ts';
import { classifyDrift } from '../../src/core/drift/classify-drift.ts';
import type { DriftFindings, InputsComparison } from '../../src/core/drift/drift.ts';
import { type PlanJson, parsePlanJson } from '../../src/core/plan-json.ts';
import { createMasker } from '../../src/lib/mask.ts';
import { buildFakecloud } from '../fakecloud/build-fakecloud.ts';
import { DRIFT_KEY } from './drift-findings.ts';

export interface Planned {
  /** Of `plan -detailed-exitcode`. */
  readonly exitCode: number | undefined;
  readonly json: PlanJson;
}

/** What a program wrote, and how it ended. */
interface Ended {
  readonly text: string;
  readonly exitCode: number | undefined;
}

/** A project with a cloud of its own, under plain Terraform. */
export interface DriftStage extends AsyncDisposable {
  readonly directory: string;
  /** Writes the project's code anew; providers and backend are there. */
  code(text: string): Promise<void>;
  /** Writes another file beside it. */
  write(path: string, text: string): Promise<void>;
  apply(...args: readonly string[]): Promise<void>;
  /** Changes a live object as somebody in the console does, past its version. undefined: takes it away. */
  edit(name: string, change: Readonly<Record<string, unknown>> | undefined): Promise<void>;
  /** Puts an object there that no code has made. */
  put(name: string, values: Readonly<Record<string, unknown>>): Promise<void>;
  live(name: string): Promise<Readonly<Record<string, unknown>>>;
  faults(...list: readonly unknown[]): Promise<void>;
  terraform(...args: readonly string[]): Promise<Ended>;
  /** Another program in Terraform's place. */
  run(program: string, ...args: readonly string[]): Promise<Ended>;
  plan(...args: readonly string[]): Promise<Planned>;
  /** Plans and classifies as a drift check does. */
  check(inputs: InputsComparison): Promise<DriftFindings & { readonly exitCode: number | undefined }>;
}

const HEAD = `terraform {
  required_providers { fakecloud = { source = "holdfast/fakecloud" } }
}
provider "fakecloud" { dir = "cloud" }
`;
const TIMEOUT_MS = 60_000;

export async function createDriftStage(): Promise<DriftStage> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-drift-'));
  const { mirrorDirectory } = await buildFakecloud();
  const rc = join(directory, 'terraform.rc');
  await writeFile(rc, `provider_installation {\n filesystem_mirror {\n path = "${mirrorDirectory}"\n }\n}\n`);
  await mkdir(join(directory, 'cloud'));
  const object = (name: string) => join(directory, 'cloud', `${name}.json`);
  const live: DriftStage['live'] = async (name) =>
    JSON.parse(await readFile(object(name), 'utf8')) as Readonly<Record<string, unknown>>;
  const run: DriftStage['run'] = async (program, ...args) => {
    const { all, exitCode } = await execa(program, args, {
      cwd: directory,
      env: { TF_CLI_CONFIG_FILE: rc, CHECKPOINT_DISABLE: '1', TF_IN_AUTOMATION: '1' },
      reject: false,
      all: true,
      timeout: TIMEOUT_MS,
    });
    return { text: all, exitCode };
  };
  const terraform: DriftStage['terraform'] = (...args) => run('terraform', ...args);
  const mustDo = async (...args: readonly string[]) => {
    const { text, exitCode } = await terraform(...args);
    if (exitCode !== 0) throw new Error(`terraform ${args.join(' ')} ended with ${exitCode}:\n${text}`);
    return text;
  };
  let initialised = false;
  const init = async () => {
    if (!initialised) await mustDo('init', '-no-color', '-input=false');
    initialised = true;
  };
  const plan: DriftStage['plan'] = async (...args) => {
    await init();
    await rm(join(directory, 'tfplan'), { force: true });
    const common = ['-no-color', '-input=false', '-lock=false', '-detailed-exitcode', '-out=tfplan'];
    const { exitCode } = await terraform('plan', ...common, ...args);
    return { exitCode, json: parsePlanJson(await mustDo('show', '-no-color', '-json', 'tfplan')) };
  };
  return {
    directory,
    live,
    terraform,
    run,
    plan,
    code: (text) => writeFile(join(directory, 'main.tf'), HEAD + text),
    async write(path, text) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), text);
    },
    async apply(...args) {
      await init();
      await mustDo('apply', '-no-color', '-input=false', '-auto-approve', ...args);
    },
    async edit(name, change) {
      if (change === undefined) await rm(object(name));
      else await writeFile(object(name), JSON.stringify({ ...(await live(name)), ...change }));
    },
    async put(name, values) {
      await writeFile(object(name), JSON.stringify({ name, version: 1, ...values }));
    },
    async faults(...list) {
      await writeFile(join(directory, 'cloud/.faults.json'), JSON.stringify(list));
    },
    async check(inputs) {
      const { exitCode, json } = await plan();
      return { exitCode, ...classifyPlan(json, inputs) };
    },
    async [Symbol.asyncDispose]() {
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export function classifyPlan(json: PlanJson, inputs: InputsComparison): DriftFindings {
  const { digest } = canonicalizePlan(json, { key: DRIFT_KEY, ignore: [] });
  return classifyDrift(json, { inputs, key: DRIFT_KEY, mask: createMasker([]).mask, canonicalDigest: digest });
}
