import { joinPath } from './repository-path.ts';

/**
 * The file that `terraform plan` is given as `-var-file` without being asked to, as in Atlantis: `env/<workspace>.tfvars`
 * in the project's directory. Relative to that directory; undefined when the commit has no such file.
 */
export function workspaceVarFile(dir: string, workspace: string, paths: ReadonlySet<string>): string | undefined {
  const file = `env/${workspace}.tfvars`;
  return paths.has(joinPath(dir, file)) ? file : undefined;
}
