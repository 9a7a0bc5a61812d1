import { statfs } from 'node:fs/promises';
import { chooseStarts } from '../../src/core/drift/budget.ts';
import { findSkip, type SkipReason } from '../../src/core/drift/skip.ts';
import { checkWindowsAt, type WindowState } from '../../src/core/drift/windows.ts';
import type { DriftWindow } from '../../src/core/drift/settings.ts';
import type { ProjectKey } from '../../src/core/project.ts';
import type { DueProject, ScheduleDecision, ScheduleFacts } from '../../src/ports/drift-store.ts';
import { chosenCredentials } from '../find-credentials.ts';
import { repositoryName } from '../gather-pull-request.ts';
import { isAllowed } from '../open-pull-request.ts';
import type { RunContext } from '../run-context.ts';
import { wake } from '../../src/jobs/wake.ts';

type WindowsAt = (lists: readonly (readonly DriftWindow[])[]) => WindowState;

/** Starts the checks that are due and have room, and says of the others why not. */
export async function scheduleDue(context: RunContext): Promise<void> {
  const roomLeft = await hasRoom(context);
  const now = context.now();
  const wakeups = await context.drift.schedule((facts) => decideStarts(context, facts, roomLeft, now), now);
  await wake(context, wakeups);
}

async function hasRoom({ workDirectory, config }: RunContext): Promise<boolean> {
  const { bavail, bsize } = await statfs(workDirectory);
  return bavail * bsize >= config.minimumFreeBytes;
}

function decideStarts(context: RunContext, facts: ScheduleFacts, roomLeft: boolean, now: Date): ScheduleDecision {
  const windowsAt = checkWindowsAt(now);
  const skip = new Map<ProjectKey, SkipReason>();
  for (const due of facts.due) {
    const reason = reasonToSkip(context, due, windowsAt, roomLeft, now);
    if (reason !== undefined) skip.set(due.project.key, reason);
  }
  const starts = chooseStarts({
    due: facts.due.filter(({ project }) => !skip.has(project.key)).map((due) => toDueCheck(context, due, now)),
    running: facts.running.map(({ project, repository }) => ({
      repositoryId: project.repositoryId,
      credentials: credentialNames(context, { project, repository }),
    })),
    startedLastMinute: facts.startedLastMinute,
    slots: facts.workers * context.config.parallelism.global,
    pullRequestRuns: facts.pullRequestRuns,
    limits: { ...context.config.drift.limits, startsPerMinute: facts.startsPerMinute },
  });
  return { start: starts.map(({ key }) => key), skip };
}

function reasonToSkip(
  context: RunContext,
  { project, repository, facts }: DueProject,
  windowsAt: WindowsAt,
  roomLeft: boolean,
  now: Date,
): SkipReason | undefined {
  const isServed = isAllowed(context, repositoryName(repository));
  return findSkip({
    ...facts,
    now,
    enabled: project.settings.enabled,
    requested: project.request !== undefined,
    repository: !isServed ? 'missing' : repository.archived ? 'archived' : 'present',
    suspension: project.suspension,
    windows: windowsAt(project.settings.windows),
    roomLeft,
  });
}

function toDueCheck(context: RunContext, { project, repository }: DueProject, now: Date) {
  return {
    key: project.key,
    repositoryId: project.repositoryId,
    credentials: credentialNames(context, { project, repository }),
    dueAt: project.request?.at ?? project.due.dueAt ?? now,
    lastCheckAt: project.lastCheckAt,
    requested: project.request !== undefined,
  };
}

function credentialNames(context: RunContext, { project, repository }: Pick<DueProject, 'project' | 'repository'>) {
  return chosenCredentials(context, repository, project.project).map(({ name }) => name);
}
