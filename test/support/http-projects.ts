import type { DriftProjectChanges } from '../../src/core/drift/drift-project.ts';
import type { DriftSettings } from '../../src/core/drift/settings.ts';
import type { StoredFindings } from '../../src/core/drift/stored-findings.ts';
import type { ProjectKey } from '../../src/core/project.ts';
import type { Repository } from '../../src/core/repository.ts';
import { driftContext } from '../../src/core/sealed-contexts.ts';
import { buildRepository, HEAD, keyOf } from './builders.ts';
import { buildBranchProject, buildStoredFindings, drifting } from './drift-builders.ts';
import type { HttpStage } from './http-stage.ts';

type Stage = Pick<HttpStage, 'drift' | 'pulls' | 'seal'>;

/** Tracks `main` of a repository, with a project in each of these folders. */
export async function trackProjects(
  { drift, pulls }: Stage,
  dirs: readonly string[],
  {
    repository = buildRepository(),
    settings = {},
  }: { repository?: Repository; settings?: Partial<DriftSettings> } = {},
): Promise<void> {
  await pulls.saveRepository(repository);
  await drift.track(repository, 'main');
  const projects = dirs.map((dir) => {
    const project = buildBranchProject(dir, { settings });
    return { ...project, key: project.key.replace('/42/', `/${repository.id}/`) as ProjectKey };
  });
  const read = { tip: HEAD, settingsDigest: 's', projects };
  await drift.syncProjects(`${repository.host}/${repository.id}`, read, new Date());
}

/** Writes down what a check would have. */
export async function setProject({ drift }: Pick<Stage, 'drift'>, dir: string, changes: DriftProjectChanges) {
  return drift.change(keyOf(dir), () => ({ changes, report: false }));
}

/** The project drifts, with findings that can be read. */
export async function drift(stage: Stage, dir: string, some: Partial<StoredFindings> = {}): Promise<void> {
  const key = keyOf(dir);
  const findings = stage.seal.seal(JSON.stringify(buildStoredFindings(some)), driftContext(key));
  const now = new Date();
  const times = { lastCheckAt: now, lastSuccessAt: now };
  await setProject(stage, dir, { sync: 'drift', state: drifting(), findings, ...times });
}
