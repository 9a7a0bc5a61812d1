import { compileGlob, containsGlob } from '../lib/glob.ts';
import { isConfigurationFile, isTerragruntFile } from './configuration-file.ts';
import { baseName, parentDirectory } from './repository-path.ts';
import type { ProjectEntry, RepositoryConfig } from './repository-config.ts';
import type { PlacedEntry } from './trusted-keys.ts';

/**
 * Puts every entry into a directory: a glob becomes one entry for each directory that matches it and has Terraform's
 * files. A place that is written out counts more than one a glob finds; of two globs the first.
 */
export function placeEntries(config: RepositoryConfig | undefined, paths: readonly string[]): readonly PlacedEntry[] {
  const entries = config?.projects ?? [];
  const written = new Set(entries.filter((entry) => !containsGlob(entry.dir)).map(place));
  const taken = new Set(written);
  const byDirectory = entries.some((entry) => containsGlob(entry.dir))
    ? Map.groupBy(paths, parentDirectory)
    : new Map<string, string[]>();
  return entries.flatMap((entry) => {
    if (!containsGlob(entry.dir)) return [entry];
    return expand(entry, byDirectory).filter((placed) => {
      const key = place(placed);
      if (taken.has(key)) return false;
      taken.add(key);
      return true;
    });
  });
}

function place(entry: Pick<ProjectEntry, 'dir' | 'workspace'>): string {
  return JSON.stringify([entry.dir, entry.workspace]);
}

function expand(entry: ProjectEntry, byDirectory: ReadonlyMap<string, readonly string[]>): readonly PlacedEntry[] {
  const glob = compileGlob(entry.dir);
  if ('problem' in glob) return [];
  const indicates = indicator(entry.globFileMatch);
  return [...byDirectory]
    .filter(([dir, files]) => glob.matches(dir) && files.some((file) => indicates(baseName(file))))
    .map(([dir]) => ({ ...entry, dir }))
    .sort((a, b) => (a.dir < b.dir ? -1 : 1));
}

function indicator(patterns: readonly string[] | undefined): (name: string) => boolean {
  if (patterns === undefined) return isProjectFile;
  const globs = patterns.map((pattern) => compileGlob(pattern));
  return (name) => globs.some((glob) => 'matches' in glob && glob.matches(name));
}

/** Whether a file of this name makes its directory one in which Terraform or Terragrunt can run. */
export function isProjectFile(name: string): boolean {
  return isConfigurationFile(name) || isTerragruntFile(name);
}
