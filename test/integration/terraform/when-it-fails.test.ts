import { readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Step } from '../../../src/core/workflow.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { applyProject } from '../../../workers/steps/apply-project.ts';
import { planProject } from '../../../workers/steps/plan-project.ts';
import type { PlannedProject, PlanOutcome } from '../../../workers/steps/project-run.ts';
import { startHttpState } from '../../support/http-state.ts';
import { createTerraformBench, type TerraformBench } from '../../support/terraform-run.ts';

function mustBePlanned(outcome: PlanOutcome): PlannedProject {
  if (outcome.kind !== 'planned') throw new Error(JSON.stringify(outcome, undefined, 2));
  return outcome;
}

function fakecloud(bench: TerraformBench, resources: string): Readonly<Record<string, string>> {
  return {
    'main.tf': `terraform {
      required_providers { fakecloud = { source = "holdfast/fakecloud" } }
      backend "local" { path = "${bench.stateDirectory}/x.tfstate" }
    }
    provider "fakecloud" { dir = "${bench.cloudDirectory}" }
    ${resources}`,
  };
}

const shell = (command: string) =>
  ({
    kind: 'run',
    output: 'show',
    filterRegexes: [],
    command,
    shell: 'sh',
    shellArgs: ['-c'],
  }) as const satisfies Step;
const INIT: Step = { kind: 'init', extraArgs: [] };
const PLAN: Step = { kind: 'plan', extraArgs: [] };
const workflow = (...plan: Step[]) => ({
  workflow: { name: 'custom', plan, apply: [{ kind: 'apply', extraArgs: [] } as const] },
});

describe('what goes wrong is explained', () => {
  test('a mistake in the configuration, with its place', async () => {
    await using bench = await createTerraformBench();
    await bench.write({ 'main.tf': 'resource "terraform_data" "a" {\n  inputs = 1\n}' });
    const outcome = await planProject(await bench.run());
    expect(outcome).toMatchObject({ kind: 'failed', step: 'plan', reason: 'plan failed: Unsupported argument' });
    const [diagnostic] = outcome.kind === 'failed' ? outcome.diagnostics : [];
    expect(diagnostic).toMatchObject({ severity: 'error', location: 'main.tf:2' });
    expect(bench.lines).toContain('Error: Unsupported argument');
  });

  test('a provider the mirror lacks, a directory that is not there, a link out of the checkout, arguments around us', async () => {
    await using bench = await createTerraformBench();
    await bench.write({ 'main.tf': 'terraform {\n required_providers { x = { source = "acme/x" } }\n}' });
    const missing = await planProject(await bench.run());
    expect(missing).toMatchObject({
      kind: 'failed',
      step: 'init',
      reason: expect.stringContaining('not in the provider mirror'),
    });
    expect(await planProject(await bench.run({ project: { dir: 'gone' } }))).toMatchObject({ kind: 'refused' });
    expect(await planProject(await bench.run({ project: { dir: '../..' } }))).toMatchObject({ kind: 'refused' });
    expect(await planProject(await bench.run({ commandArgs: ['-out=/tmp/x', '-chdir=/'] }))).toEqual({
      kind: 'refused',
      reason:
        "`-out` may not be given: the plan file has its own place. `-chdir` may not be given: the project's directory is where Terraform runs.",
    });
  });

  test('a cloud backend is left to the one who runs it', async () => {
    await using bench = await createTerraformBench();
    const run = await bench.run({ backend: { kind: 'cloud', type: 'cloud', workspace: 'prod' } });
    expect(await planProject(run)).toMatchObject({ kind: 'refused', reason: expect.stringContaining('HCP Terraform') });
  });

  test("the http backend: its lock's real holder, no workspaces, a state that could not be saved, its password", async () => {
    await using bench = await createTerraformBench();
    await using state = await startHttpState();
    const data = 'resource "terraform_data" "a" { input = "v1" }';
    await bench.write({ 'main.tf': `terraform {\n${state.configuration}\n}\n${data}` });
    const run = await bench.run({ network: 'host' });

    state.heldBy = { ID: 'holder-id-1', Who: 'alice@laptop', Operation: 'OperationTypeApply' };
    const locked = await planProject(run);
    expect(locked).toMatchObject({ kind: 'failed', stateLock: { holderId: 'holder-id-1', holder: undefined } });
    expect(locked).toHaveProperty('reason', expect.stringContaining('force-unlock holder-id-1'));
    expect(locked).toHaveProperty('reason', expect.stringContaining('does not say who'));
    state.heldBy = undefined;
    expect(bench.sensitive).toContain('backend-canary-secret');

    const elsewhere = await planProject(await bench.run({ network: 'host', project: { workspace: 'staging' } }));
    expect(elsewhere).toMatchObject({ kind: 'failed', reason: expect.stringContaining('has no workspaces') });

    const planned = mustBePlanned(await planProject(run));
    expect(planned.applyRefusal).toBeUndefined();
    state.refuseWrites = true;
    const outcome = await applyProject(run, planned);
    expect(outcome).toMatchObject({ kind: 'failed', step: 'apply' });
    const errored = outcome.kind === 'failed' ? outcome.erroredState : undefined;
    expect(Buffer.from(errored ?? []).toString()).toContain('"v1"');
  });

  test('a local state lock names its holder', async () => {
    await using bench = await createTerraformBench();
    await bench.write(fakecloud(bench, 'resource "fakecloud_object" "slow" {\n name = "slow"\n sleep_ms = 60000\n}'));
    const stop = new AbortController();
    const first = await bench.run({ signal: stop.signal });
    const planned = mustBePlanned(await planProject(first));
    const applying = applyProject(first, planned);
    await expect.poll(() => bench.lines.some((line) => line.includes('Creating...')), { timeout: 20_000 }).toBe(true);

    const second = await planProject(await bench.run());
    expect(second).toMatchObject({
      kind: 'failed',
      stateLock: { operation: 'apply', holder: expect.stringContaining('@') },
    });

    // Stopping in the middle: Terraform saves the state and gives the lock back.
    const asked = Date.now();
    stop.abort();
    expect(await applying).toMatchObject({ kind: 'cancelled', step: 'apply' });
    expect(Date.now() - asked).toBeLessThan(5_000);
    expect(mustBePlanned(await planProject(await bench.run())).summary.counts.add).toBe(1);
  });

  test('what a killed Terraform left of its lock does not keep the next one out', async () => {
    await using bench = await createTerraformBench();
    await bench.write(fakecloud(bench, 'resource "fakecloud_object" "a" { name = "a" }'));
    const info = join(bench.stateDirectory, '.x.tfstate.lock.info');
    await writeFile(info, '{}', { mode: 0o600 });
    mustBePlanned(await planProject(await bench.run()));
    await rm(info, { force: true });
    const secret = join(bench.directory, 'secret');
    await writeFile(secret, 'x', { mode: 0o600 });
    await symlink(secret, info);
    await planProject(await bench.run());
    expect((await stat(secret)).mode & 0o777).toBe(0o600);
  });

  test('a provider that never answers is stopped when the time is over', async () => {
    await using bench = await createTerraformBench();
    await bench.write(fakecloud(bench, 'resource "fakecloud_object" "a" { name = "a" }'));
    await writeFile(join(bench.cloudDirectory, '.faults.json'), JSON.stringify([{ op: 'plan', hang: true }]));
    const base = await bench.run();
    const started = Date.now();
    const outcome = await planProject({ ...base, limits: { ...base.limits, planMs: 1_500, graceMs: 500 } });
    expect(outcome).toMatchObject({
      kind: 'failed',
      step: 'plan',
      reason: expect.stringMatching(/^plan took longer than 2 s/),
    });
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  test('an apply that fails halfway says which resource, and what was done is known', async () => {
    await using bench = await createTerraformBench();
    const resources = `resource "fakecloud_object" "good" { name = "good" }
      resource "fakecloud_object" "bad" {
        name = "bad"
        fail_on_apply = true
        depends_on = [fakecloud_object.good]
      }`;
    await bench.write(fakecloud(bench, resources));
    const run = await bench.run();
    const outcome = await applyProject(run, mustBePlanned(await planProject(run)));
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'apply failed: fakecloud: create refused' });
    expect(outcome).toHaveProperty('diagnostics.0.address', 'fakecloud_object.bad');
    expect(bench.progress.at(-1)).toEqual({ phase: 'apply', done: 1, total: 2 });
  });

  test('what is applied are the bytes that were read, whatever lies in the folder by then', async () => {
    await using bench = await createTerraformBench();
    await bench.write(fakecloud(bench, 'resource "fakecloud_object" "a" { name = "a" }'));
    const run = await bench.run();
    const planned = mustBePlanned(await planProject(run));
    await writeFile(join(run.directory, 'plan/plan.tfplan'), 'not a plan');
    expect(await applyProject(run, planned)).toMatchObject({ kind: 'applied' });
    expect(await applyProject(run, planned)).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('Plan again'),
    });
  });
});

describe('custom steps', () => {
  test('see the documented variables, the credentials of their stage and no others', async () => {
    await using bench = await createTerraformBench();
    await bench.write({ 'main.tf': 'variable "region" {}\noutput "region" { value = var.region }' });
    const phase = (name: string) => ({ env: { [name]: new Secret(`${name}-value`) }, mounts: [] });
    const base = await bench.run({
      credentials: { init: phase('INIT_TOKEN'), plan: phase('PLAN_TOKEN'), apply: phase('APPLY_TOKEN') },
      project: {
        name: 'web',
        ...workflow(
          { kind: 'env', name: 'GREETING', value: 'hello' },
          {
            kind: 'env_command',
            name: 'TF_VAR_region',
            command: 'echo "$GREETING-region"',
            shell: 'sh',
            shellArgs: ['-c'],
          },
          {
            kind: 'multienv',
            output: 'hide',
            filterRegexes: [],
            command: 'echo \'A=1,B="2,3"\'',
            shell: 'sh',
            shellArgs: ['-c'],
          },
          INIT,
          PLAN,
          shell('env | sort; ls -l $PLANFILE; echo "$A/$B"'),
          { ...shell('echo "a secret-123 b"'), output: 'filter_regex', filterRegexes: ['secret-[0-9]+'] },
          { ...shell('echo hidden-line'), output: 'hide' },
        ),
      },
    });
    const planned = mustBePlanned(await planProject(base));
    expect(planned.planText).toContain('hello-region');
    expect(bench.lines).toEqual(
      expect.arrayContaining(['PROJECT_NAME=web', 'PULL_NUM=7', 'WORKSPACE=default', '1/2,3']),
    );
    expect(bench.lines).toContain('PLAN_TOKEN=PLAN_TOKEN-value');
    expect(bench.lines.join('\n')).not.toMatch(/INIT_TOKEN|APPLY_TOKEN/);
    expect(bench.lines).toContain('a <redacted> b');
    expect(bench.lines).not.toContain('hidden-line');
    expect([...bench.sensitive]).toEqual(expect.arrayContaining(['INIT_TOKEN-value', 'PLAN_TOKEN-value']));
  });

  test.each([
    'TF_CLI_ARGS_plan',
    'TF_REATTACH_PROVIDERS',
    'LD_PRELOAD',
    'GIT_SSH_COMMAND',
    'PATH',
    'TF_DATA_DIR',
    'https_proxy',
  ])('may not set %s', async (name) => {
    await using bench = await createTerraformBench();
    await bench.write({ 'main.tf': '' });
    const step: Step = { kind: 'env', name, value: 'x' };
    const outcome = await planProject(await bench.run({ project: workflow(step, INIT, PLAN) }));
    expect(outcome).toMatchObject({ kind: 'failed', reason: expect.stringContaining(`may not set ${name}`) });
  });

  test('a link in the place of the plan file is not followed, and no plan file is no plan', async () => {
    await using bench = await createTerraformBench();
    await bench.write({ 'main.tf': '' });
    const link = await planProject(await bench.run({ project: workflow(shell('ln -s /etc/shadow $PLANFILE')) }));
    expect(link).toMatchObject({ kind: 'failed', reason: 'plan.tfplan is not a regular file.' });
    const none = await planProject(await bench.run({ project: workflow(shell('exit 0')) }));
    expect(none).toMatchObject({ kind: 'failed', reason: expect.stringContaining('without a plan file') });
    const forged = await planProject(await bench.run({ project: workflow(shell('echo forged > $PLANFILE')) }));
    expect(forged).toMatchObject({ kind: 'failed', step: 'show -json' });
    const exits = await planProject(await bench.run({ project: workflow(INIT, shell('echo oops >&2; exit 3')) }));
    expect(exits).toMatchObject({ kind: 'failed', step: 'run: echo oops >&2; exit 3', outputTail: ['oops'] });
  });

  test('`show` writes the plan as JSON where the next step finds it', async () => {
    await using bench = await createTerraformBench();
    await bench.write({ 'main.tf': 'output "x" { value = "y" }' });
    const steps = workflow(
      INIT,
      PLAN,
      { kind: 'show', extraArgs: [] },
      shell('grep -c output_changes $SHOWFILE > count'),
    );
    mustBePlanned(await planProject(await bench.run({ project: steps })));
    expect((await readFile(join(bench.directory, 'checkout/count'), 'utf8')).trim()).toBe('1');
    expect(bench.lines.join('\n')).not.toContain('output_changes');
  });
});
