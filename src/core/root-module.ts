import { listBlocks, listLabelled, literalText, plainText } from './configuration-body.ts';
import {
  isConfigurationFile,
  isOpenTofuFile,
  isTerragruntFile,
  selectConfigurationFiles,
  type JsonObject,
  type ParsedFile,
  type TerraformDistribution,
} from './configuration-file.ts';
import { type DeclaredSecrets, findDeclaredSecrets } from './declared-secrets.ts';
import { findFileReferences, type FileReference } from './file-reference.ts';
import { findProviders, type ProviderRequirement } from './provider-requirement.ts';
import { joinPath, leavesRepository, parentDirectory } from './repository-path.ts';

/** `module "name" { source = "./x" }`: a call into another directory of the same repository. */
export interface LocalModuleCall {
  readonly name: string;
  readonly source: string;
  /** The called directory from the repository's top; `.` is the top. It may be absent, or lie outside (`../x`). */
  readonly directory: string;
}

/** A call of a module that lives elsewhere: registry, git, HTTP ... or whose source is no literal. */
export interface RemoteModuleCall {
  readonly name: string;
  readonly source: string;
  readonly version: string | undefined;
}

/** Where the state lives. `none`: neither `backend` nor `cloud` is declared, so it would be lost with the checkout. */
export interface Backend {
  readonly kind: 'none' | 'local' | 'cloud' | 'remote' | 'other';
  /** Terraform's name of the backend (`s3`, `gcs`, `http` ...; `cloud` for a cloud block); undefined when there is none. */
  readonly type: string | undefined;
  /** The one workspace named by a `cloud` block or a `remote` backend, when it is a literal. */
  readonly workspace: string | undefined;
}

/** What the configuration files of one directory say, before anything is evaluated. */
export interface TerraformDirectory {
  /** From the repository's top, with slashes; `.` is the top. */
  readonly path: string;
  /** The configuration files that count, in the order Terraform reads them: overrides last. Empty where there is only Terragrunt. */
  readonly files: readonly string[];
  /** Only `.tofu` files are here: Terraform itself would find nothing. */
  readonly onlyOpenTofu: boolean;
  readonly backend: Backend;
  readonly declaresProvider: boolean;
  readonly localModules: readonly LocalModuleCall[];
  readonly remoteModules: readonly RemoteModuleCall[];
  readonly providers: readonly ProviderRequirement[];
  /** `required_version` constraints as written. */
  readonly requiredVersions: readonly string[];
  readonly fileReferences: readonly FileReference[];
  readonly secrets: DeclaredSecrets;
  /** `terragrunt.hcl` is here. */
  readonly terragrunt: boolean;
  /** Files that could not be read, in words; what they would have said is missing above. */
  readonly problems: readonly { readonly path: string; readonly problem: string }[];
}

/** All directories with configuration files or a `terragrunt.hcl`, by path. */
export type Configuration = ReadonlyMap<string, TerraformDirectory>;

/** Describes every directory. `paths` are all files of the commit; `parsed` what became of its configuration files. */
export function readConfiguration(
  paths: readonly string[],
  parsed: readonly ParsedFile[],
  distribution: TerraformDistribution,
): Configuration {
  const results = new Map(parsed.map((file) => [file.path, file]));
  const byDirectory = Map.groupBy(
    paths.filter((path) => isConfigurationFile(path) || isTerragruntFile(path)),
    parentDirectory,
  );
  return new Map(
    [...byDirectory].map(([directory, files]) => [directory, describe(directory, files, results, distribution)]),
  );
}

/** All root modules, sorted by path. */
export function listRootModules(configuration: Configuration): readonly TerraformDirectory[] {
  const isRoot = rootModuleTest(configuration);
  return [...configuration.values()]
    .filter((directory) => isRoot(directory.path))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The directories that local module calls lead to from here, directly or through others, whether they exist or not; without itself. */
export function listCalledDirectories(configuration: Configuration, directory: string): readonly string[] {
  return walk(directory, (path) => configuration.get(path)?.localModules.map((call) => call.directory) ?? []);
}

/** The local modules a directory uses, directly or through others; without itself, and without those that do not exist. */
export function listLocalModules(configuration: Configuration, directory: string): readonly string[] {
  return listCalledDirectories(configuration, directory).filter((path) => configuration.has(path));
}

/** The directories that use a directory as a local module, directly or through others; without itself. */
export function listModuleUsers(configuration: Configuration, directory: string): readonly string[] {
  const users = new Map<string, string[]>();
  for (const user of configuration.values()) {
    for (const call of user.localModules) {
      const known = users.get(call.directory);
      if (known) known.push(user.path);
      else users.set(call.directory, [user.path]);
    }
  }
  return walk(directory, (path) => users.get(path) ?? []);
}

/** Literal file paths named by a root module and its local modules, from the repository's top; those that leave it are dropped. */
export function listReferencedFiles(configuration: Configuration, root: string): readonly string[] {
  const paths = [root, ...listLocalModules(configuration, root)].flatMap((directory) =>
    (configuration.get(directory)?.fileReferences ?? []).map((reference) =>
      joinPath(reference.base === 'root' ? root : directory, reference.path),
    ),
  );
  return [...new Set(paths)].filter((path) => !leavesRepository(path)).sort();
}

/** The providers of a root module and of all its local modules; constraints on one source are put together. */
export function listProviders(configuration: Configuration, root: string): readonly ProviderRequirement[] {
  const merged = new Map<string, ProviderRequirement>();
  for (const directory of [root, ...listLocalModules(configuration, root)]) {
    for (const provider of configuration.get(directory)?.providers ?? []) {
      const known = merged.get(provider.source) ?? provider;
      const versions = [...new Set([...known.versions, ...provider.versions])];
      merged.set(provider.source, { ...known, versions, declared: known.declared || provider.declared });
    }
  }
  return [...merged.values()].sort((a, b) => (a.source < b.source ? -1 : 1));
}

/**
 * Whether a person would run Terraform here: the directory has configuration files, and it declares a backend, cloud or
 * provider block, or no other directory uses it as a local module and its path has no segment `modules`.
 */
function rootModuleTest(configuration: Configuration): (path: string) => boolean {
  const used = new Set<string>();
  for (const user of configuration.values()) {
    for (const call of user.localModules) if (call.directory !== user.path) used.add(call.directory);
  }
  return (path) => {
    const directory = configuration.get(path);
    if (directory === undefined || directory.files.length === 0) return false;
    if (directory.backend.kind !== 'none' || directory.declaresProvider) return true;
    return !used.has(path) && !path.split('/').includes('modules');
  };
}

/** Everything reachable from `start`, which itself is left out even when it lies on a cycle. */
function walk(start: string, next: (path: string) => readonly string[]): readonly string[] {
  const seen = new Set([start]);
  for (const path of seen) for (const reached of next(path)) seen.add(reached);
  seen.delete(start);
  return [...seen].sort();
}

function describe(
  path: string,
  present: readonly string[],
  results: ReadonlyMap<string, ParsedFile>,
  distribution: TerraformDistribution,
): TerraformDirectory {
  const configurationFiles = present.filter(isConfigurationFile);
  const files = selectConfigurationFiles(configurationFiles, distribution);
  const read = files.map((file) => results.get(file) ?? { path: file, problem: `${file} was not read` });
  const bodies = read.flatMap((file) => ('body' in file ? [file.body] : []));
  return {
    path,
    files,
    onlyOpenTofu: files.length > 0 && configurationFiles.every(isOpenTofuFile),
    backend: findBackend(bodies),
    declaresProvider: bodies.some((body) => listLabelled(body, 'provider').length > 0),
    ...findModuleCalls(path, bodies),
    providers: findProviders(bodies, distribution),
    requiredVersions: bodies.flatMap((body) =>
      listBlocks(body, 'terraform').flatMap((block) => literalText(block, 'required_version') ?? []),
    ),
    fileReferences: bodies.flatMap(findFileReferences),
    secrets: findDeclaredSecrets(bodies),
    terragrunt: present.some(isTerragruntFile),
    problems: read.flatMap((file) => ('problem' in file ? [file] : [])),
  };
}

/** The last one counts, as an override file's would. */
function findBackend(bodies: readonly JsonObject[]): Backend {
  const declared = bodies
    .flatMap((body) => listBlocks(body, 'terraform'))
    .flatMap((block) => [
      ...listLabelled(block, 'backend'),
      ...listBlocks(block, 'cloud').map((cloud) => ['cloud', cloud] as const),
    ]);
  const last = declared.at(-1);
  if (!last) return { kind: 'none', type: undefined, workspace: undefined };
  const [type, block] = last;
  const kind = type === 'local' || type === 'remote' || type === 'cloud' ? type : 'other';
  if (kind === 'local' || kind === 'other') return { kind, type, workspace: undefined };
  const names = listBlocks(block, 'workspaces').flatMap((workspaces) => literalText(workspaces, 'name') ?? []);
  return { kind, type, workspace: names[0] };
}

function findModuleCalls(
  directory: string,
  bodies: readonly JsonObject[],
): Pick<TerraformDirectory, 'localModules' | 'remoteModules'> {
  const local = new Map<string, LocalModuleCall>();
  const remote = new Map<string, RemoteModuleCall>();
  for (const [name, block] of bodies.flatMap((body) => listLabelled(body, 'module'))) {
    const source = plainText(block, 'source');
    if (source === undefined) continue;
    local.delete(name);
    remote.delete(name);
    if (isLocalSource(source)) local.set(name, { name, source, directory: joinPath(directory, slashed(source)) });
    else remote.set(name, { name, source, version: literalText(block, 'version') });
  }
  return { localModules: [...local.values()], remoteModules: [...remote.values()] };
}

/** Terraform takes a source for a local path by exactly these beginnings; https://developer.hashicorp.com/terraform/language/modules/sources#local-paths */
function isLocalSource(source: string): boolean {
  return /^\.{1,2}[/\\]/.test(source) && !/[$%]\{/.test(source);
}

function slashed(source: string): string {
  return source.replaceAll('\\', '/');
}
