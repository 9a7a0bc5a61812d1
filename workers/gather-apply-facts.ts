import { type ApplyFacts, findUnmetRequirements } from '../src/core/apply-gate.ts';
import { findMove } from '../src/core/find-move.ts';
import type { Mergeability, PullRequest } from '../src/core/pull-request.ts';
import { projectKey, projectTitle, type Project } from '../src/core/project.ts';
import type { PlanRecord, PullRequestRecord, PullRequestState } from '../src/core/record.ts';
import { type CommitSha, commitSha } from '../src/core/repository.ts';
import type { RepositoryRules } from '../src/core/repository-rules.ts';
import type { UnmetRequirement } from '../src/core/reply.ts';
import type { ReviewFacts } from '../src/core/review-rules.ts';
import { servesBranch } from '../src/core/resolve-rules.ts';
import type { ClaimedPullRequestRun } from '../src/ports/run-store.ts';
import type { VcsHost } from '../src/ports/vcs-host.ts';
import { readPermission } from './check-permission.ts';
import type { CommitFacts } from './commit-facts.ts';
import { digestProjectInputs } from '../src/core/project-inputs.ts';
import { type GatheredPullRequest, gatherPullRequest, repositoryName, rulesOf } from './gather-pull-request.ts';
import { isAllowed, refreshPullRequest } from './open-pull-request.ts';
import { listOwnChecks } from './own-checks.ts';
import { ProjectRefusedError } from './project-refused-error.ts';
import type { RunContext } from './run-context.ts';

export interface GatheredApply {
  readonly facts: ApplyFacts;
  readonly pull: PullRequestRecord;
  readonly plan: PlanRecord | undefined;
  /** The merge of now; undefined when head and base conflict. */
  readonly commit: CommitFacts | undefined;
  readonly baseSha: CommitSha;
  readonly rules: RepositoryRules;
  /** As base branch and server describe it now. */
  readonly project: Project;
  /** Projects under whose names we report on the head commit. */
  readonly reported: readonly Project[];
}

/** Everything the gate asks, from the host and the record, at the moment of the apply. */
export async function gatherApplyFacts(context: RunContext, run: ClaimedPullRequestRun): Promise<GatheredApply> {
  const state = await context.runs.readState(run.pullRequestId);
  const host = state && context.hosts.get(state.pull.repository.host);
  if (state === undefined || host === undefined)
    throw new Error(`the pull request of run ${run.id} is not known any more`);
  const pull = await readServed(context, host, state.pull);
  const { repository } = pull;
  const gathered = await gatherPullRequest(context, host, pull);
  const plan = state.plans.find((one) => one.projectKey === run.projectKey);
  const project = currentProject(gathered, run) ?? run.project;
  const commit = gathered.merge.mergeSha && (await context.commits.read(repository, gathered.merge.mergeSha));
  const digestNow = commit && digestProjectInputs(commit, project);
  const { permission, refusal } = await readPermission(host, repository, gathered.rules, 'apply', run.batch.actor);
  const needed = project.applyRequirements;
  const reported = [project, ...state.latest.map((one) => one.project)];
  const { rules } = gathered;
  const { baseSha } = gathered.merge;
  const facts: ApplyFacts = {
    pull,
    actor: run.batch.actor,
    actorPermission: permission,
    actorRefusal: refusal,
    project,
    title: projectTitle(project),
    plan,
    plannedSinceAsked: await wasPlannedSince(context, plan, run),
    inputsDigestNow: digestNow,
    baseMoved: plan === undefined ? false : await hasBaseMoved(context, pull, project, plan, baseSha),
    lockHolder: lockHolder(state, run),
    reviews: needed.includes('approved') ? await readReviews(context, host, pull, project, digestNow, baseSha) : [],
    planReplacedAt: await whenReplaced(context, plan),
    lastPusher: needed.includes('approved') ? await host.findLastPusher(pull) : undefined,
    mergeability: needed.includes('mergeable') ? await askMergeability(host, pull, reported) : { kind: 'mergeable' },
    unappliedDependencies: unappliedDependencies(state, project),
    forkAllowed: false,
    applicable: applicable(gathered),
    trigger: context.config.triggers[0] ?? 'holdfast',
  };
  return { facts, pull, plan, commit: commit || undefined, baseSha, rules, project, reported };
}

/**
 * What may have become otherwise while the apply was verified, which takes as long as a plan does: asked again just before it begins.
 * Empty: it may begin.
 */
export async function recheckApply(
  context: RunContext,
  run: ClaimedPullRequestRun,
  { facts, pull: verified, rules, baseSha, project, reported }: GatheredApply,
): Promise<readonly UnmetRequirement[]> {
  const host = context.hosts.get(verified.repository.host);
  if (host === undefined) throw new Error(`there is no VCS host ${verified.repository.host} any more`);
  const pull = await readServed(context, host, verified);
  const moved = findMove(verified, pull, facts.trigger);
  if (moved !== undefined) return [moved];
  const { inputsDigestNow } = facts;
  const { permission, refusal } = await readPermission(host, pull.repository, rules, 'apply', run.batch.actor);
  const needed = new Set(project.applyRequirements);
  return findUnmetRequirements({
    ...facts,
    pull,
    actorPermission: permission,
    actorRefusal: refusal,
    reviews: needed.has('approved')
      ? await readReviews(context, host, pull, project, inputsDigestNow, baseSha)
      : facts.reviews,
    mergeability: needed.has('mergeable') ? await askMergeability(host, pull, reported) : facts.mergeability,
  });
}

/** Names change and branches are retargeted, so whether it is ours to work on is asked again, too. */
async function readServed(context: RunContext, host: VcsHost, known: PullRequestRecord): Promise<PullRequestRecord> {
  const repository = await host.getRepository(known.repository);
  const name = repositoryName(repository);
  if (!isAllowed(context, name))
    throw new ProjectRefusedError(`The repository ${name} is not one that is served here.`);
  if (repository.archived) throw new ProjectRefusedError(`The repository ${name} is archived.`);
  const pull = await refreshPullRequest(context, host, repository, known.number);
  if (pull === undefined || !servesBranch(rulesOf(context, repository), pull.baseRef)) {
    throw new ProjectRefusedError('Pull requests into its base branch are not served here. Nothing was applied.');
  }
  return pull;
}

/** By the moments at which both were asked for: an apply that waits for its turn may be overtaken by a plan. */
async function wasPlannedSince(
  context: RunContext,
  plan: PlanRecord | undefined,
  run: ClaimedPullRequestRun,
): Promise<boolean> {
  const planned = plan && (await context.runs.findRun(plan.runId));
  return planned !== undefined && planned.queuedAt > run.queuedAt;
}

/** When a verification left this plan in the place of the approved one; undefined for a plan that somebody asked for. */
async function whenReplaced({ runs }: RunContext, plan: PlanRecord | undefined): Promise<Date | undefined> {
  const run = plan && (await runs.findRun(plan.runId));
  return run?.result?.kind === 'plan_changed' ? run.finishedAt : undefined;
}

/** The project as base branch and server describe it now: requirements may have become stricter since the plan. */
function currentProject({ projects, pull }: GatheredPullRequest, run: ClaimedPullRequestRun): Project | undefined {
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

function lockHolder(state: PullRequestState, run: ClaimedPullRequestRun): ApplyFacts['lockHolder'] {
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
