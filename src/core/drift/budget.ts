import type { ProjectKey } from '../project.ts';

/** A project whose check is due and that nothing speaks against. */
export interface DueCheck {
  readonly key: ProjectKey;
  readonly repositoryId: string;
  /** Names of the credentials its plan is given. */
  readonly credentials: readonly string[];
  readonly dueAt: Date;
  /** The last check that was begun, whatever came of it; undefined: none yet. */
  readonly lastCheckAt: Date | undefined;
  /** A person asked for it: it comes first, and is not held to the pace of what the clock asks for. */
  readonly requested: boolean;
}

export interface BudgetLimits {
  /** Checks at once; undefined: what the workers leave. */
  readonly maxConcurrent: number | undefined;
  readonly perRepository: number | undefined;
  readonly perCredential: number | undefined;
  /** `startsPerMinute` of what all projects ask for. */
  readonly startsPerMinute: number;
}

export interface BudgetFacts {
  readonly due: readonly DueCheck[];
  /** Checks that are queued or running, here and on other machines. */
  readonly running: readonly Pick<DueCheck, 'repositoryId' | 'credentials'>[];
  /** How many of all checks that the clock asked for were begun within the last minute. */
  readonly startedLastMinute: number;
  /** What all living workers can run at once. */
  readonly slots: number;
  /** Runs of pull requests that run or could run at once. */
  readonly pullRequestRuns: number;
  readonly limits: BudgetLimits;
}

/**
 * Which checks start now, in their order. Pull requests come first: a check gets a slot that no run of theirs uses or waits for.
 * Checks that the clock asks for have half of the workers at most, one at least; those that people ask for may have what is idle.
 * Whoever was checked least recently is first, so that a budget that is too small delays everybody alike.
 */
export function chooseStarts(facts: BudgetFacts): readonly DueCheck[] {
  const { limits, slots, running } = facts;
  const idle = slots - facts.pullRequestRuns - running.length;
  const most = limits.maxConcurrent ?? slots;
  const half = Math.max(1, Math.floor(slots / 2));
  const tally: Tally = { repositories: new Map(), credentials: new Map() };
  for (const one of running) count(tally, one);
  const chosen: DueCheck[] = [];
  let pace = limits.startsPerMinute - facts.startedLastMinute;
  for (const check of facts.due.toSorted(byNeed)) {
    if (chosen.length >= Math.min(idle, most - running.length)) break;
    if (!check.requested && (pace < 1 || running.length + chosen.length >= half)) continue;
    if (isFull(tally, check, limits)) continue;
    count(tally, check);
    chosen.push(check);
    if (!check.requested) pace -= 1;
  }
  return chosen;
}

interface Tally {
  readonly repositories: Map<string, number>;
  readonly credentials: Map<string, number>;
}

function count(tally: Tally, { repositoryId, credentials }: Pick<DueCheck, 'repositoryId' | 'credentials'>): void {
  tally.repositories.set(repositoryId, (tally.repositories.get(repositoryId) ?? 0) + 1);
  for (const name of credentials) tally.credentials.set(name, (tally.credentials.get(name) ?? 0) + 1);
}

function isFull(tally: Tally, check: DueCheck, { perRepository, perCredential }: BudgetLimits): boolean {
  const reached = (limit: number | undefined, used = 0) => limit !== undefined && used >= limit;
  return (
    reached(perRepository, tally.repositories.get(check.repositoryId)) ||
    check.credentials.some((name) => reached(perCredential, tally.credentials.get(name)))
  );
}

function byNeed(a: DueCheck, b: DueCheck): number {
  if (a.requested !== b.requested) return a.requested ? -1 : 1;
  const last = (a.lastCheckAt?.getTime() ?? 0) - (b.lastCheckAt?.getTime() ?? 0);
  return last || a.dueAt.getTime() - b.dueAt.getTime() || (a.key < b.key ? -1 : 1);
}
