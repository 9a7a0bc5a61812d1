import { tmpdir } from 'node:os';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createUnsandboxed } from '../../../src/adapters/no-sandbox/no-sandbox.ts';
import { listPlanDifferences } from '../../../src/core/plan-differences.ts';
import { applyProject } from '../../../workers/steps/apply-project.ts';
import { planProject } from '../../../workers/steps/plan-project.ts';
import type { ApplyOutcome, PlannedProject, PlanOutcome } from '../../../workers/steps/project-run.ts';
import { infrastructureFiles } from '../../fixtures/infrastructure.ts';
import { createTerraformBench } from '../../support/terraform-run.ts';

function mustBePlanned(outcome: PlanOutcome): PlannedProject {
  if (outcome.kind !== 'planned') throw new Error(JSON.stringify(outcome, undefined, 2));
  return outcome;
}

describe('planProject and applyProject', () => {
  test('plan, apply what was planned, and find nothing left to do', async () => {
    await using bench = await createTerraformBench();
    await bench.write(infrastructureFiles(bench));
    const run = await bench.run({ project: { dir: 'app' } });
    const planned = mustBePlanned(await planProject(run));

    expect(planned.summary.counts).toMatchObject({ add: 2, change: 0, destroy: 0, outputs: 1 });
    expect(planned.summary.changes.map(({ address }) => address)).toEqual([
      'module.shop.fakecloud_object.replica[0]',
      'module.shop.fakecloud_object.replica[1]',
    ]);
    expect(planned.planText).toContain('Plan: 2 to add, 0 to change, 0 to destroy.');
    expect(planned.planText).not.toContain('correct-horse-battery');
    expect(planned.sensitiveValues).toContain('correct-horse-battery');
    expect(planned.applyRefusal).toBeUndefined();
    expect(Buffer.from(planned.lockFile ?? []).toString()).toContain('holdfast/fakecloud');
    // Both ways of showing the plan run at once, so either may end first.
    expect(planned.timings.map(({ name }) => name).toSorted()).toEqual(['init', 'plan', 'show', 'show -json']);

    const applied: ApplyOutcome = await applyProject(run, planned);
    expect(applied).toMatchObject({ kind: 'applied', applied: { add: 2, change: 0, destroy: 0 } });
    expect(bench.progress.at(-1)).toEqual({ phase: 'apply', done: 2, total: 2 });
    expect((await readdir(bench.cloudDirectory)).toSorted()).toEqual(['shop-0.json', 'shop-1.json']);

    // Another slot, and as root another uid, goes on with the state and the objects.
    const again = mustBePlanned(await planProject(await bench.run({ project: { dir: 'app' } })));
    expect(again.summary.empty).toBe(true);
    expect(again.stateResources).toBe(2);
    expect(bench.progress.filter(({ phase }) => phase === 'plan').at(-1)).toMatchObject({ done: 2 });
  });

  test('one that only observes is shown as JSON alone', async () => {
    await using bench = await createTerraformBench();
    await bench.write(infrastructureFiles(bench));
    const run = await bench.run({ project: { dir: 'app' } });
    const { timings, summary, planText } = mustBePlanned(await planProject({ ...run, observes: true }));
    expect(timings.map(({ name }) => name)).toEqual(['init', 'plan', 'show -json']);
    expect({ add: summary.counts.add, planText }).toEqual({ add: 2, planText: '' });
  });

  test('a hot-fix between approval and apply is seen as a difference, and the same plan twice is not', async () => {
    await using bench = await createTerraformBench();
    await bench.write(infrastructureFiles(bench));
    const run = await bench.run({ project: { dir: 'app' } });
    await applyProject(run, mustBePlanned(await planProject(run)));

    const live = join(bench.cloudDirectory, 'shop-0.json');
    const object = JSON.parse(await readFile(live, 'utf8')) as Record<string, unknown>;
    await writeFile(live, JSON.stringify({ ...object, content: 'one' }));
    const approved = mustBePlanned(await planProject(run));
    const same = mustBePlanned(await planProject(await bench.run({ project: { dir: 'app' } })));
    expect(listPlanDifferences(approved.canonical, same.canonical)).toEqual([]);

    await writeFile(live, JSON.stringify({ ...object, content: 'two' }));
    const fresh = mustBePlanned(await planProject(run));
    expect(approved.summary.drifted).toEqual(['module.shop.fakecloud_object.replica[0]']);
    expect(listPlanDifferences(approved.canonical, fresh.canonical)).toEqual([
      {
        address: 'module.shop.fakecloud_object.replica[0]',
        approved: 'update',
        now: 'update, with other values of content',
      },
    ]);
  });

  test('a state in the checkout may be planned and not applied', async () => {
    await using bench = await createTerraformBench();
    await bench.write({ 'main.tf': 'resource "terraform_data" "a" {}' });
    const run = await bench.run();
    const planned = mustBePlanned(await planProject(run));
    expect(planned.applyRefusal).toContain('no `backend` block');
    expect(await applyProject(run, planned)).toMatchObject({ kind: 'refused' });

    await bench.write({ 'main.tf': 'terraform { \n backend "local" {} \n }\nresource "terraform_data" "a" {}' });
    const local = mustBePlanned(await planProject(await bench.run()));
    expect(local.applyRefusal).toContain('lost');
  });

  test('without a sandbox the same is done under the paths of the host', async () => {
    await using bench = await createTerraformBench();
    await bench.write(infrastructureFiles(bench));
    await using slot = await createUnsandboxed({ directory: tmpdir() }).openSlot({
      memoryBytes: 1024 ** 3,
      processes: 200,
      diskBytes: 1024 ** 3,
    });
    const base = await bench.run({ project: { dir: 'app' } });
    const run = { ...base, slot, fixedPaths: false, network: 'host' as const };
    const planned = mustBePlanned(await planProject(run));
    expect(await applyProject(run, planned)).toMatchObject({ kind: 'applied' });
  });

  test('a missing workspace is made, and its state has a place of its own', async () => {
    await using bench = await createTerraformBench();
    const backend = `backend "local" {\n workspace_dir = "${bench.stateDirectory}"\n }`;
    await bench.write({
      'main.tf': `terraform {\n${backend}\n}\nresource "terraform_data" "a" {\n input = terraform.workspace\n}`,
    });
    const run = await bench.run({ project: { workspace: 'staging' } });
    const planned = mustBePlanned(await planProject(run));
    expect(planned.applyRefusal).toBeUndefined();
    expect(await applyProject(run, planned)).toMatchObject({ kind: 'applied' });
    const state = join(bench.stateDirectory, 'staging/terraform.tfstate');
    expect((await stat(state)).mode & 0o666).toBe(0o666);
    expect(await readFile(state, 'utf8')).toContain('staging');
  });
});
