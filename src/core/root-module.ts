import type { TerraformDistribution } from './configuration-file.ts';

/** `module "name" { source = "./x" }`: a call into another directory of the same repository. */
export interface LocalModuleCall {
  readonly name: string;
  readonly source: string;
  /** The called directory from the repository's top; `.` is the top. May be absent from the repository. */
  readonly directory: string;
}

/** A call of a module that lives elsewhere: registry, git, HTTP ... */
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

export interface ProviderRequirement {
  /** The name the module uses: `aws`. */
  readonly name: string;
  /** The full address: `registry.terraform.io/hashicorp/aws`, with the distribution's own registry host where none is written. */
  readonly source: string;
  /** Version constraints as written, one per declaration; empty when any version will do. */
  readonly versions: readonly string[];
  /** False when nothing but the use of a resource, data source or provider block implies it. */
  readonly declared: boolean;
}

/** A literal path in `file()`, `templatefile()` or one of their kin. `root`: relative to the root module that is run; `module`: to the directory that says it. */
export interface FileReference {
  readonly base: 'root' | 'module';
  readonly path: string;
}

/** What the configuration files of one directory say, before anything is evaluated. */
export interface TerraformDirectory {
  /** From the repository's top, with slashes; `.` is the top. */
  readonly path: string;
  /** The configuration files that count, in the order Terraform reads them: overrides last. */
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
  /** `terragrunt.hcl` is here. */
  readonly terragrunt: boolean;
  /** Files that could not be read, in words; what they would have said is missing above. */
  readonly problems: readonly { readonly path: string; readonly problem: string }[];
}

/** All directories with configuration files, by path. */
export type Configuration = ReadonlyMap<string, TerraformDirectory>;

export interface ReadOptions {
  readonly distribution: TerraformDistribution;
}
