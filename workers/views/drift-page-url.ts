import { type ProjectKey, projectPagePath } from '../../src/core/project.ts';
import type { WorkerContext } from '../context.ts';

type Context = Pick<WorkerContext, 'publicUrl'>;

/** Where people look at the drift of one project. */
export function driftPageUrl({ publicUrl }: Context, key: ProjectKey): string {
  return `${publicUrl}${projectPagePath(key)}`;
}

/** Where people look at the projects of one repository. */
export function driftListUrl({ publicUrl }: Context, repositoryId: string): string {
  return `${publicUrl}/projects?repository=${encodeURIComponent(repositoryId)}`;
}
