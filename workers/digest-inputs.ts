import { createHash } from 'node:crypto';
import type { Project } from '../src/core/project.ts';
import { isWithin } from '../src/core/repository-path.ts';
import { listLocalModules, listReferencedFiles } from '../src/core/root-module.ts';
import { findModified } from '../src/core/when-modified.ts';
import { isCustomWorkflow } from '../src/core/workflow.ts';
import type { CommitFacts } from './commit-facts.ts';

/** Digest of everything that can change what this project's plan says. */
export function digestInputs(commit: CommitFacts, project: Project): string {
  const { configuration, paths } = commit;
  const dirs = [project.dir, ...listLocalModules(configuration, project.dir)];
  const named = new Set([
    ...listReferencedFiles(configuration, project.dir),
    ...findModified(project.dir, project.autoplan.whenModified, paths),
  ]);
  const everything = isCustomWorkflow(project.workflow);
  const inputs = commit.entries.filter(
    ({ path }) => everything || named.has(path) || dirs.some((dir) => isWithin(path, dir)),
  );
  const hash = createHash('sha256').update(JSON.stringify(project));
  for (const { path, oid, kind } of inputs) hash.update(`${path}\0${oid}\0${kind}\0`);
  return hash.digest('hex');
}
