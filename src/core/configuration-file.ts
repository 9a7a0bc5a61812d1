import { baseName } from './repository-path.ts';

/** A parsed body: blocks and attributes by name. Expressions that are not plain literals stay text, as `${...}`. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** A file as read from a commit. `path` has slashes and starts at the repository's top. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** What became of one file: its body in hcl2json's form, or a problem in words with file and line. */
export type ParsedFile =
  | { readonly path: string; readonly body: JsonObject }
  | { readonly path: string; readonly problem: string };

export type TerraformDistribution = 'terraform' | 'opentofu';

const EXTENSION = /\.(tf|tofu)(\.json)?$/;

/**
 * Whether Terraform or OpenTofu would read this file as configuration. Editors' leftovers (`.x.tf`, `x.tf~`, `#x.tf#`)
 * are skipped as in Terraform's own `IsIgnoredFile`.
 */
export function isConfigurationFile(path: string): boolean {
  const name = baseName(path);
  return EXTENSION.test(name) && !name.startsWith('.');
}

export function isOpenTofuFile(path: string): boolean {
  return /\.tofu(?:\.json)?$/.test(path);
}

export function isTerragruntFile(path: string): boolean {
  return baseName(path) === 'terragrunt.hcl';
}

/** Override files are merged over the others, in the order of their names. */
export function isOverrideFile(path: string): boolean {
  return /^(?:.*_)?override$/.test(baseName(path).replace(EXTENSION, ''));
}

/**
 * Those of one directory's configuration files that count, in reading order. Terraform never reads `.tofu` files, unless
 * nothing else is there to say what the directory is; OpenTofu reads `x.tofu` instead of `x.tf`.
 */
export function selectConfigurationFiles(
  paths: readonly string[],
  distribution: TerraformDistribution,
): readonly string[] {
  const present = new Set(paths);
  const terraform = paths.filter((path) => !isOpenTofuFile(path));
  const readsTofu = distribution === 'opentofu' || terraform.length === 0;
  const counted = readsTofu ? paths.filter((path) => !present.has(openTofuTwin(path))) : terraform;
  const sorted = [...counted].sort(compareText);
  return [...sorted.filter((path) => !isOverrideFile(path)), ...sorted.filter(isOverrideFile)];
}

function openTofuTwin(path: string): string {
  return isOpenTofuFile(path) ? '' : path.replace(EXTENSION, '.tofu$2');
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
