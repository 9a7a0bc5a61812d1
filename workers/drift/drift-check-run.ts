import { classifyDrift } from '../../src/core/drift/classify-drift.ts';
import { decideFindings } from '../../src/core/drift/decide-check.ts';
import type { DriftProject } from '../../src/core/drift/drift-project.ts';
import { type InputsComparison, isDrift } from '../../src/core/drift/drift.ts';
import type { StoredFindings } from '../../src/core/drift/stored-findings.ts';
import { digestProjectInputs } from '../../src/core/project-inputs.ts';
import { driftContext } from '../../src/core/sealed-contexts.ts';
import type { ClaimedBranchRun } from '../../src/ports/run-store.ts';
import type { LeaseKeeper } from '../keep-lease.ts';
import { failed, stopped, toPhases } from '../plan-run.ts';
import type { RunContext } from '../run-context.ts';
import type { RunOutput } from '../run-output.ts';
import { planProject } from '../steps/plan-project.ts';
import type { PlannedProject } from '../steps/project-run.ts';
import { type WorkOutcome, openBranchProject } from './open-branch-project.ts';

/** Compares one project of the tracked branch with reality; nothing is locked and nothing changed. */
export async function driftCheckRun(
  context: RunContext,
  run: ClaimedBranchRun,
  keeper: LeaseKeeper,
  afterwards: AsyncDisposableStack,
): Promise<WorkOutcome> {
  await context.runs.start(run.lease);
  await using branch = await openBranchProject(context, { run, keeper, afterwards, observes: true });
  const { opened, commit, page } = branch;
  const outcome = await planProject(opened.projectRun);
  if (outcome.kind === 'refused') return { end: failed(outcome.reason, []) };
  if (outcome.kind !== 'planned') return { end: stopped(outcome, opened.output, keeper, []) };
  const inputsDigest = digestProjectInputs(commit, run.project);
  const inputs = compareInputs(page.project, inputsDigest);
  const findings = classify(context, outcome, opened.output, inputs);
  const differing = findings.resources.filter(({ kind }) => kind !== 'consequence');
  return {
    end: {
      state: 'succeeded',
      result: {
        kind: 'checked',
        sync: findings.sync,
        drifting: differing.filter(({ kind }) => isDrift(kind)).length,
        differing: differing.length,
      },
      phases: toPhases(outcome.timings),
    },
    decide: (project) =>
      decideFindings(project, {
        findings,
        sha: commit.sha,
        inputsDigest,
        runId: run.id,
        putRightBy: run.batch.trigger === 'put_right' ? run.batch.actor.login : undefined,
        now: context.now(),
        seal: (stored) => sealFindings(context, project, stored),
      }),
  };
}

export function sealFindings({ seal }: RunContext, { key }: DriftProject, stored: StoredFindings): Buffer {
  return seal.seal(JSON.stringify(stored), driftContext(key));
}

export function classify(
  { digestKey }: RunContext,
  outcome: PlannedProject,
  { mask }: Pick<RunOutput, 'mask'>,
  inputs: InputsComparison,
) {
  return classifyDrift(outcome.json, {
    inputs,
    key: digestKey.reveal(),
    mask,
    canonicalDigest: outcome.canonical.digest,
  });
}

export function compareInputs({ baselineDigest }: DriftProject, now: string): InputsComparison {
  if (baselineDigest === undefined) return 'unknown';
  return baselineDigest === now ? 'unchanged' : 'changed';
}
