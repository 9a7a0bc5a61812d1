import type { ApplyFacts, ReviewFacts } from '../src/core/apply-gate.ts';
import type { Mergeability, PullRequest } from '../src/core/pull-request.ts';
import { projectKey, projectTitle, type Project } from '../src/core/project.ts';
import type { PlanRecord, PullRequestRecord, PullRequestState } from '../src/core/record.ts';
import { type CommitSha, commitSha } from '../src/core/repository.ts';
import type { ClaimedRun } from '../src/ports/run-store.ts';
import type { VcsHost } from '../src/ports/vcs-host.ts';
import { readPermission } from './check-permission.ts';
import type { CommitFacts } from './commit-facts.ts';
import { digestProjectInputs } from '../src/core/project-inputs.ts';
import { type GatheredPullRequest, gatherPullRequest } from './gather-pull-request.ts';
import { refreshPullRequest } from './open-pull-request.ts';
import { listOwnChecks } from './own-checks.ts';
import type { RunContext } from './run-context.ts';

export interface GatheredApply {
  readonly facts: ApplyFacts;
  readonly pull: PullRequestRecord;
  readonly plan: PlanRecord | undefined;
  /** The merge of now; undefined when head and base conflict. */
  readonly commit: CommitFacts | undefined;
  readonly baseSha: string;
}

/** Everything the gate asks, from the host and the record, at the moment of the apply. */
export async function gatherApplyFacts(context: RunContext, run: ClaimedRun): Promise<GatheredApply> {
  const state = await context.runs.readState(run.pullRequestId);
  const host = state && context.hosts.get(state.pull.repository.host);
  if (state === undefined || host === undefined)
    throw new Error(`the pull request of run ${run.id} is not known any more`);
  const repository = await host.getRepository(state.pull.repository);
  const pull = await refreshPullRequest(context, host, repository, state.pull.number);
  if (pull === undefined) throw new Error(`the pull request of run ${run.id} is not served any more`);
  const gathered = await gatherPullRequest(context, host, pull);
  const plan = state.plans.find((one) => one.projectKey === run.projectKey);
  const project = currentProject(gathered, run) ?? run.project;
  const commit = gathered.merge.mergeSha && (await context.commits.read(repository, gathered.merge.mergeSha));
  const digestNow = commit && digestProjectInputs(commit, project);
  const { permission, refusal } = await readPermission(host, repository, gathered.rules, 'apply', run.batch.actor);
  const needed = project.applyRequirements;
  const facts: ApplyFacts = {
    pull,
    actor: run.batch.actor,
    actorPermission: permission,
    actorRefusal: refusal,
    project,
    title: projectTitle(project),
    plan,
    inputsDigestNow: digestNow,
    baseMoved: plan === undefined ? false : await hasBaseMoved(context, pull, project, plan, gathered.merge.baseSha),
    lockHolder: lockHolder(state, run),
    reviews: needed.includes('approved')
      ? await readReviews(context, host, pull, project, digestNow, gathered.merge.baseSha)
      : [],
    lastPusher: needed.includes('approved') ? await host.findLastPusher(pull) : undefined,
    mergeability: needed.includes('mergeable')
      ? await askMergeability(host, pull, [project, ...state.latest.map((one) => one.project)])
      : { kind: 'mergeable' },
    unappliedDependencies: unappliedDependencies(state, project),
    forkAllowed: false,
    applicable: applicable(gathered),
    trigger: context.config.triggers[0] ?? 'holdfast',
  };
  return { facts, pull, plan, commit: commit || undefined, baseSha: gathered.merge.baseSha };
}

/** The project as base branch and server describe it now: requirements may have become stricter since the plan. */
function currentProject({ projects, pull }: GatheredPullRequest, run: ClaimedRun): Project | undefined {
  return projects.all.find(
    ({ project }) => projectKey(pull.repository, project, projects.nameCounts(project)) === run.projectKey,
  )?.project;
}

function applicable({ projects, configProblems }: GatheredPullRequest): ApplyFacts['applicable'] {
  if (projects.applyBlock !== undefined)
    return { ok: false, reason: projects.applyBlock, next: 'See to the base branch.' };
  if (configProblems.length === 0) return { ok: true };
  return { ok: false, reason: "the repository's config has problems", next: 'Mend them; the plan comment lists them.' };
}

function lockHolder(state: PullRequestState, run: ClaimedRun): ApplyFacts['lockHolder'] {
  const lock = state.locks.find((one) => one.projectKey === run.projectKey);
  return lock && { number: lock.number, who: lock.who };
}

/** Whether the base branch changed this project since the base its plan was made with. */
async function hasBaseMoved(
  context: RunContext,
  pull: PullRequest,
  project: Project,
  plan: PlanRecord,
  baseNow: CommitSha,
): Promise<boolean> {
  if (plan.baseSha === baseNow) return false;
  const before = commitSha(plan.baseSha);
  if (!(await context.mirror.has(pull.repository, before))) return true;
  const [then, now] = await Promise.all([
    context.commits.read(pull.repository, before),
    context.commits.read(pull.repository, baseNow),
  ]);
  return digestProjectInputs(then, project) !== digestProjectInputs(now, project);
}

/** The review that counts of each person, with what the person may now. */
export async function readReviews(
  context: RunContext,
  host: VcsHost,
  pull: PullRequest,
  project: Project,
  digestNow: string | undefined,
  baseSha: CommitSha,
): Promise<readonly ReviewFacts[]> {
  const reviews = await host.listReviews(pull.repository, pull.number);
  return Promise.all(
    reviews.map(async (review) => ({
      ...review,
      permission: await host.getPermission(pull.repository, review.reviewer),
      inputsUnchangedSince: await unchangedSince(context, pull, project, review.commitSha, digestNow, baseSha),
    })),
  );
}

/** Whether merging the reviewed commit would give the project the same inputs as merging the head. */
async function unchangedSince(
  context: RunContext,
  pull: PullRequest,
  project: Project,
  reviewed: CommitSha | undefined,
  digestNow: string | undefined,
  baseSha: CommitSha,
): Promise<boolean> {
  if (reviewed === undefined || digestNow === undefined) return false;
  if (reviewed === pull.headSha) return true;
  if (!(await context.mirror.has(pull.repository, reviewed))) return false;
  const merged = await context.mirror.merge(pull.repository, baseSha, reviewed);
  if (merged.kind !== 'merged') return false;
  return digestProjectInputs(await context.commits.read(pull.repository, merged.sha), project) === digestNow;
}

/** Whether the host would merge it, our own checks left out: they wait for the apply that asks this. */
export async function askMergeability(
  host: VcsHost,
  pull: PullRequest,
  projects: readonly Pick<Project, 'dir' | 'workspace' | 'name'>[],
): Promise<Mergeability> {
  return host.getMergeability(pull, listOwnChecks(projects));
}

/**
 * A dependency is in the way while its plan has changes that are not applied, and while it could not be planned at this
 * commit: then nobody knows what it would change.
 */
function unappliedDependencies(state: PullRequestState, project: Project): readonly string[] {
  const changed = new Set(state.plans.filter((plan) => !plan.empty).map((plan) => plan.projectKey));
  const inTheWay = state.latest.filter(
    (run) =>
      changed.has(run.projectKey) ||
      (run.operation === 'plan' && run.state !== 'succeeded' && run.batch.headSha === state.pull.headSha),
  );
  const names = new Set(inTheWay.map((run) => run.project.name));
  return project.dependsOn.filter((name) => names.has(name));
}
