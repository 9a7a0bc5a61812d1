import { containsGlob } from '../lib/glob.ts';
import type { BatchNotes } from './batch.ts';
import { formatCommand, isEmptySelection, type ProjectSelection } from './command.ts';
import { accepted, answer, type ChosenProject, nothingDone, type Trigger } from './decide.ts';
import { projectTitle, type Project, type ProjectKey } from './project.ts';
import type { Decision, PullRequestState, RunRecord } from './record.ts';
import type { LeftOut, UnmetRequirement } from './reply.ts';
import { explainName, findUnmatchedDirs, selectAmong } from './select-projects.ts';

export interface ApplyRequest {
  readonly trigger: Trigger;
  /** What the person typed, for the answer. */
  readonly command: string;
  /** Empty: every plan of this pull request that is not applied yet. */
  readonly selection: ProjectSelection;
  /** Every project of the repository as config and discovery have it now, in their order. */
  readonly known: readonly ChosenProject[];
  /** Those that the pull request's newest commit plans by itself. */
  readonly touched: readonly ChosenProject[];
  readonly headSha: string;
  readonly baseSha: string;
  readonly notes: BatchNotes;
  /** The trigger word, for what people are told to type. */
  readonly word: string;
}

/**
 * Applies what has a plan with changes, and says of everything else that was asked for why it is not applied. Whether a plan
 * really may be applied is asked again when its run starts.
 */
export function decideApply(state: PullRequestState, request: ApplyRequest): Decision {
  const { selection, trigger, notes } = request;
  const { candidates, unmatched } = chooseCandidates(state, request);
  if (candidates.length === 0 && selection.project !== undefined) {
    const projects = request.known.map(({ project }) => project);
    return nothingDone(trigger, request.command, explainName(projects, selection.project), undefined);
  }
  const standings = candidates.map((chosen) => ({ ...chosen, standing: findStanding(state, chosen, request.word) }));
  const ready = standings.filter(({ standing }) => standing === 'ready');
  const titlesOf = (wanted: Standing) =>
    standings.flatMap(({ project, standing }) => (standing === wanted ? [projectTitle(project)] : []));
  const leftOut: LeftOut = {
    unmet: [...standings.flatMap(({ standing }) => (typeof standing === 'string' ? [] : [standing])), ...unmatched],
    applied: titlesOf('applied'),
    unchanged: titlesOf('unchanged'),
  };
  if (ready.length === 0) return nothingToApply(request, leftOut);
  const complete = leftOut.unmet.length + leftOut.applied.length + leftOut.unchanged.length === 0;
  return {
    actor: trigger.actor.login,
    event: `apply:${trigger.kind}`,
    batch: {
      triggerKey: trigger.key,
      operation: 'apply',
      trigger: trigger.kind,
      actor: trigger.actor,
      headSha: request.headSha,
      baseSha: request.baseSha,
      mergeSha: undefined,
      sourceCommentId: trigger.commentId,
      notes: complete ? notes : { ...notes, leftOut },
      runs: ready.map(({ key, project }) => ({ projectKey: key, project })),
    },
    reactions: accepted(trigger),
  };
}

function nothingToApply({ trigger, command, word }: ApplyRequest, leftOut: LeftOut): Decision {
  const { unmet, applied, unchanged } = leftOut;
  if (unmet.length > 0) {
    const view = {
      kind: 'refused',
      command,
      actor: trigger.actor.login,
      unmet,
      settled: { applied, unchanged },
    } as const;
    return answer(trigger, { key: trigger.key, kind: 'command', view }, 'confused');
  }
  if (applied.length > 0)
    return nothingDone(trigger, command, 'everything that was planned is applied already', undefined);
  if (unchanged.length > 0) return nothingDone(trigger, command, 'the plans have no changes', undefined);
  const next = `Comment \`${word} plan\` and read the plan first.`;
  return nothingDone(trigger, command, 'there is no plan to apply', next);
}

interface Candidates {
  readonly candidates: readonly ChosenProject[];
  /** Of what was typed, what means no project. */
  readonly unmatched: readonly UnmetRequirement[];
}

/** By name any project can be meant; a glob, or no flag at all, means those of this pull request. */
function chooseCandidates(state: PullRequestState, { selection, known, touched, word }: ApplyRequest): Candidates {
  const own = listOwnKeys(state, touched);
  const knownKeys = new Set(known.map(({ key }) => key));
  const recorded = state.latest
    .filter((run) => run.operation === 'plan' && own.has(run.projectKey) && !knownKeys.has(run.projectKey))
    .map(({ projectKey, project }) => ({ key: projectKey, project }));
  // Of two projects with one key the first counts, as it does when the run starts.
  const all = [...Map.groupBy([...known, ...recorded], (one) => one.key).values()].flatMap(([first]) => first ?? []);
  if (isEmptySelection(selection)) return { candidates: all.filter(({ key }) => own.has(key)), unmatched: [] };
  const globbed = selection.dirs.some(containsGlob);
  const able = all.filter(({ key, project }) => !globbed || own.has(key) || selection.dirs.includes(project.dir));
  const places = able.map(({ project }) => project);
  const chosen = new Set(selectAmong(places, selection));
  const dirs = selection.dirs.length > 0 || selection.project !== undefined ? selection.dirs : ['.'];
  return {
    candidates: able.filter(({ project }) => chosen.has(project)),
    unmatched: findUnmatchedDirs(places, { ...selection, dirs }).map((dir) => noProjectIn(dir, selection, word)),
  };
}

function noProjectIn(dir: string, { workspace = 'default' }: ProjectSelection, word: string): UnmetRequirement {
  if (containsGlob(dir))
    return {
      project: dir,
      what: 'it matches no project of this pull request',
      next: 'Name directories as the plan comment does.',
    };
  const place = { dir, workspace, name: undefined };
  return { project: projectTitle(place), what: 'there is no plan to apply', next: planFirst(word, place) };
}

/** What this pull request is about: planned at its newest commit, or with a plan or an apply of an earlier one, or on its way, or to be planned. */
function listOwnKeys(state: PullRequestState, touched: readonly ChosenProject[]): ReadonlySet<ProjectKey> {
  const head = state.planBatch?.headSha ?? state.pull.headSha;
  const planned = state.latest.filter((run) => run.operation === 'plan' && run.batch.headSha === head);
  return new Set([
    ...[...planned, ...state.open].map((run) => run.projectKey),
    ...state.plans.map((plan) => plan.projectKey),
    ...state.applied,
    ...touched.map(({ key }) => key),
  ]);
}

/** Whether there is something to apply, nothing any more, or why it cannot be. */
type Standing = 'ready' | 'applied' | 'unchanged' | UnmetRequirement;

function findStanding(state: PullRequestState, { key, project }: ChosenProject, word: string): Standing {
  const of = (run: RunRecord): boolean => run.projectKey === key;
  const because = (what: string, next: string): UnmetRequirement => ({ project: projectTitle(project), what, next });
  const working = state.open.filter(of);
  if (working.some((run) => run.operation === 'apply'))
    return because('it is being applied already', `Wait for the result, or comment \`${word} cancel\`.`);
  if (working.length > 0) return because('it is being planned', 'Wait for the plan and read it, then apply it.');
  const planned = state.latest.find((run) => of(run) && run.operation === 'plan');
  // An older plan may still be there, but it is not what people were shown last.
  if (planned !== undefined && planned.state !== 'succeeded') {
    const what = planned.state === 'cancelled' ? 'its plan was cancelled' : 'its plan failed';
    return because(what, planFirst(word, project));
  }
  const plan = state.plans.find((one) => one.projectKey === key);
  if (plan !== undefined) return plan.empty ? 'unchanged' : 'ready';
  if (state.applied.includes(key)) return 'applied';
  const begun = state.latest.find((run) => of(run) && run.operation === 'apply' && run.applyStartedAt !== undefined);
  const what =
    begun?.state === 'interrupted'
      ? 'an apply was interrupted and its outcome is unknown'
      : begun?.state === 'failed'
        ? 'an apply failed in the midst, and its plan is spent'
        : 'there is no plan to apply';
  return because(what, planFirst(word, project));
}

function planFirst(word: string, project: Pick<Project, 'dir' | 'workspace' | 'name'>): string {
  return `Comment \`${formatCommand(word, 'plan', project)}\` and read the plan first.`;
}
