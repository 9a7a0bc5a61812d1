import type { ApplyFacts } from '../../src/core/apply-gate.ts';
import type { BatchNotes } from '../../src/core/batch.ts';
import type { RepositoryDriftKeys } from '../../src/core/drift/settings.ts';
import { type Project, type ProjectKey, projectKey } from '../../src/core/project.ts';
import type { Account, PullRequest } from '../../src/core/pull-request.ts';
import {
  type BatchRecord,
  type PlanRecord,
  type ProjectLock,
  type PullRequestRecord,
  type PullRequestState,
  pullRequestId,
  type PullRequestRun,
} from '../../src/core/record.ts';
import { commitSha, type Repository } from '../../src/core/repository.ts';
import { DEFAULT_WHEN_MODIFIED } from '../../src/core/repository-config.ts';
import type { ReviewFacts } from '../../src/core/review-rules.ts';
import { DEFAULT_WORKFLOW } from '../../src/core/workflow.ts';

/** Valid values of the domain; a test says only what it is about. */
export const HEAD = commitSha('a1'.repeat(20));
export const OLD_HEAD = commitSha('b2'.repeat(20));
export const BASE = commitSha('c3'.repeat(20));
export const MERGE = commitSha('d4'.repeat(20));

const NOW = new Date('2026-11-21T12:00:00Z');

export function buildAccount(login = 'ann'): Account {
  return { id: `id-of-${login}`, login };
}

export function buildRepository(some: Partial<Repository> = {}): Repository {
  return {
    host: 'github.com',
    id: '42',
    owner: 'acme',
    name: 'infra',
    defaultBranch: 'main',
    archived: false,
    private: true,
    url: 'https://github.com/acme/infra',
    ...some,
  };
}

export function buildPullRequest(some: Partial<PullRequest> = {}): PullRequest {
  return {
    repository: buildRepository(),
    number: 7,
    title: 'Bigger disks',
    url: 'https://github.com/acme/infra/pull/7',
    state: 'open',
    draft: false,
    fork: false,
    author: buildAccount('author'),
    headSha: HEAD,
    headRef: 'bigger-disks',
    baseRef: 'main',
    baseSha: BASE,
    labels: [],
    nodeId: 'PR_7',
    ...some,
  };
}

export function buildPullRequestRecord(some: Partial<PullRequest> = {}): PullRequestRecord {
  const pull = buildPullRequest(some);
  return { ...pull, id: pullRequestId(pull.repository, pull.number), version: 1, planVersion: 1 };
}

export function buildProject(some: Partial<Project> = {}): Project {
  return {
    dir: 'prod',
    workspace: 'default',
    name: undefined,
    workflow: DEFAULT_WORKFLOW,
    terraformVersion: undefined,
    terraformDistribution: 'terraform',
    autoplan: { enabled: true, whenModified: DEFAULT_WHEN_MODIFIED },
    planRequirements: [],
    applyRequirements: [],
    executionOrderGroup: 0,
    dependsOn: [],
    repoLocks: 'on_plan',
    ...some,
  };
}

/** A `drift:` that says only what is given. */
export function buildDriftKeys(some: Partial<RepositoryDriftKeys> = {}): RepositoryDriftKeys {
  return {
    enabled: undefined,
    schedule: undefined,
    timezone: undefined,
    windows: undefined,
    mode: undefined,
    confirmations: undefined,
    errorGraceMs: undefined,
    labels: undefined,
    assignees: undefined,
    ignore: undefined,
    report: undefined,
    maxOpenIssues: undefined,
    ...some,
  };
}

export function keyOf(dir: string): ProjectKey {
  return projectKey(buildRepository(), buildProject({ dir }), false);
}

export function buildNotes(some: Partial<BatchNotes> = {}): BatchNotes {
  return {
    explanations: [],
    configProblems: [],
    removedRoots: [],
    mergeNote: undefined,
    extraArgs: [],
    verbose: false,
    parallel: true,
    abortOnFailure: false,
    automerge: undefined,
    ...some,
  };
}

export function buildBatch(some: Partial<BatchRecord> = {}): BatchRecord {
  return {
    id: 'batch-1',
    trigger: 'autoplan',
    actor: buildAccount(),
    headSha: HEAD,
    baseRef: 'main',
    baseSha: BASE,
    mergeSha: MERGE,
    sourceCommentId: undefined,
    notes: buildNotes(),
    createdAt: NOW,
    ...some,
  };
}

/** A queued plan of `prod`; the key follows from the project. */
export function buildRun(some: Partial<PullRequestRun> = {}): PullRequestRun {
  const project = some.project ?? buildProject();
  const batch = some.batch ?? buildBatch();
  return {
    id: `run-of-${project.dir}`,
    batchId: batch.id,
    pullRequestId: buildPullRequestRecord().id,
    repositoryId: '42',
    projectKey: projectKey(buildRepository(), project, false),
    project,
    operation: 'plan',
    state: 'queued',
    ready: true,
    attempts: 0,
    result: undefined,
    progress: undefined,
    phases: [],
    applyStartedAt: undefined,
    cancelReason: undefined,
    queuedAt: NOW,
    startedAt: undefined,
    finishedAt: undefined,
    ...some,
    batch,
  };
}

export function buildLock(dir = 'prod', some: Partial<ProjectLock> = {}): ProjectLock {
  return {
    projectKey: keyOf(dir),
    pullRequestId: buildPullRequestRecord().id,
    number: 7,
    url: 'https://github.com/acme/infra/pull/7',
    dir,
    workspace: 'default',
    name: undefined,
    who: 'ann',
    since: NOW,
    ...some,
  };
}

export function buildPlan(dir = 'prod', some: Partial<PlanRecord> = {}): PlanRecord {
  return {
    id: `plan-of-${dir}`,
    runId: `run-of-${dir}`,
    projectKey: keyOf(dir),
    headSha: HEAD,
    baseRef: 'main',
    baseSha: BASE,
    mergeSha: MERGE,
    inputsDigest: 'inputs',
    canonicalDigest: 'canonical',
    empty: false,
    ...some,
  };
}

/** A pull request of which nothing is recorded yet. */
export function buildState(some: Partial<PullRequestState> = {}): PullRequestState {
  return {
    pull: buildPullRequestRecord(),
    latest: [],
    open: [],
    plans: [],
    applied: [],
    locks: [],
    waiting: [],
    planBatch: undefined,
    ...some,
  };
}

export function buildReview(some: Partial<ReviewFacts> = {}): ReviewFacts {
  return {
    reviewer: buildAccount('reviewer'),
    state: 'approved',
    commitSha: HEAD,
    submittedAt: '2026-11-21T11:00:00Z',
    permission: 'write',
    inputsUnchangedSince: true,
    ...some,
  };
}

/** Facts of a project that demands everything, and of which everything is met. */
export function buildFacts(some: Partial<ApplyFacts> = {}): ApplyFacts {
  return {
    pull: buildPullRequest(),
    actor: buildAccount(),
    actorPermission: 'write',
    actorRefusal: undefined,
    project: buildProject({ applyRequirements: ['approved', 'mergeable', 'undiverged'] }),
    title: 'prod',
    plan: { headSha: HEAD, baseRef: 'main', inputsDigest: 'inputs' },
    plannedSinceAsked: false,
    inputsDigestNow: 'inputs',
    baseMoved: false,
    lockHolder: { number: 7, who: 'ann' },
    reviews: [buildReview()],
    lastPusher: buildAccount('author'),
    mergeability: { kind: 'mergeable' },
    unappliedDependencies: [],
    forkAllowed: false,
    applicable: { ok: true },
    trigger: 'holdfast',
    ...some,
  };
}
