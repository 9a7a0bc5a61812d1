import { listModuleUsers, listReferencedFiles, listRootModules, type Configuration } from './root-module.ts';
import { isConfigurationFile, isTerragruntFile } from './configuration-file.ts';
import { baseName, parentDirectory } from './repository-path.ts';

/** Root modules that changed files belong to, with the reasons in words. */
export type TouchedRoots = ReadonlyMap<string, readonly string[]>;

/** Whether a change of this file can change a plan, as far as its name tells. State and linter files cannot. */
export function isTerraformFile(path: string): boolean {
  const name = baseName(path);
  if (name.includes('terraform.tfstate') || name === '.tflint.hcl') return false;
  return (
    isConfigurationFile(path) ||
    isTerragruntFile(path) ||
    name === '.terraform.lock.hcl' ||
    /\.tfvars(?:\.json)?$/.test(name)
  );
}

/**
 * Follows every changed file to the root modules it is a part of: its own directory, the users of a local module through
 * any number of calls, the nearest root above variable files (`env/prod.tfvars`), and literal `file()` paths.
 */
export function findTouchedRoots(configuration: Configuration, changed: readonly string[]): TouchedRoots {
  const roots = new Set(listRootModules(configuration).map((root) => root.path));
  const touched = new Map<string, string[]>();
  const touch = (root: string, reason: string) => touched.set(root, [...(touched.get(root) ?? []), reason]);
  const byDirectory = Map.groupBy(changed.filter(isTerraformFile), parentDirectory);
  for (const [dir, files] of byDirectory) {
    const users = listModuleUsers(configuration, dir).filter((user) => roots.has(user));
    for (const file of files) for (const [root, reason] of followFile(roots, users, file)) touch(root, reason);
  }
  const others = new Set(changed);
  for (const root of roots) {
    for (const file of listReferencedFiles(configuration, root)) {
      if (others.has(file)) touch(root, `${file} changed, which it reads`);
    }
  }
  return touched;
}

function followFile(
  roots: ReadonlySet<string>,
  users: readonly string[],
  file: string,
): readonly (readonly [string, string])[] {
  const dir = parentDirectory(file);
  const own = roots.has(dir) ? [[dir, `${file} changed`] as const] : [];
  const through = users.map((user) => [user, `${file} changed, in the local module ${dir}`] as const);
  if (own.length + through.length > 0) return [...own, ...through];
  const above = isConfigurationFile(file) ? aboveModules(roots, dir) : nearestRoot(roots, dir);
  return above === undefined ? [] : [[above, `${file} changed`]];
}

/** A module that nobody calls by a literal path belongs to the root module that its `modules` folder lies in. */
function aboveModules(roots: ReadonlySet<string>, dir: string): string | undefined {
  const segments = dir.split('/');
  const modules = segments.indexOf('modules');
  const parent = modules <= 0 ? '.' : segments.slice(0, modules).join('/');
  return modules >= 0 && roots.has(parent) ? parent : undefined;
}

function nearestRoot(roots: ReadonlySet<string>, dir: string): string | undefined {
  for (let at = dir; ; at = parentDirectory(at)) {
    if (roots.has(at)) return at;
    if (at === '.') return undefined;
  }
}
