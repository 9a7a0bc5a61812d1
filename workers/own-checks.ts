import { type Project, projectTitle } from '../src/core/project.ts';

export const PLAN_STATUS = 'holdfast/plan';
export const APPLY_STATUS = 'holdfast/apply';
/** One check run per head commit, where the host lets us write them: the summary and the buttons. */
export const CHECK_RUN_NAME = 'holdfast';

export function projectStatusName(project: Pick<Project, 'dir' | 'workspace' | 'name'>): string {
  return `${PLAN_STATUS}: ${projectTitle(project)}`;
}

/** Every name under which we report on a commit. */
export function listOwnChecks(projects: readonly Pick<Project, 'dir' | 'workspace' | 'name'>[]): readonly string[] {
  return [...new Set([PLAN_STATUS, APPLY_STATUS, CHECK_RUN_NAME, ...projects.map(projectStatusName)])];
}
