import type { TerraformDistribution } from '../core/configuration-file.ts';
import type { NotificationReceiver } from '../core/drift/receivers.ts';
import type { RepositoryDriftKeys } from '../core/drift/settings.ts';
import type { RepoLocksMode } from '../core/project.ts';
import type { RepositoryRule, TeamPermissions } from '../core/repository-rules.ts';
import type { Workflow } from '../core/workflow.ts';
import type { Secret } from '../lib/secret.ts';

/** An address to listen on; port 0 lets the system choose. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Everything the operator decides, checked and complete. Durations are milliseconds, sizes bytes, paths absolute. */
export interface ServerConfig {
  readonly listen: ListenAddress;
  /** Without a slash at its end; undefined: the address that is listened on. */
  readonly publicUrl: string | undefined;
  /** Addresses and networks (CIDR) whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** undefined: made and printed once at the first start. */
  readonly webToken: Secret | undefined;
  /** An own listener for `/metrics` that needs no token; undefined: on the main one, with the token. */
  readonly metricsListen: ListenAddress | undefined;
  readonly dataDir: string;
  /** undefined: the embedded PostgreSQL. */
  readonly databaseUrl: Secret | undefined;
  /** undefined: the queue lives in PostgreSQL. */
  readonly redisUrl: Secret | undefined;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** Globs of `host/owner/name`. Empty only for commands that serve nobody. */
  readonly repositories: readonly string[];
  readonly triggers: readonly string[];
  readonly sandbox: SandboxConfig;
  readonly parallelism: { readonly global: number; readonly perRepository: number };
  readonly timeouts: {
    readonly initMs: number;
    readonly planMs: number;
    readonly applyMs: number;
    /** One custom step. */
    readonly stepMs: number;
    /** From SIGINT to SIGKILL. */
    readonly graceMs: number;
    /** Terraform's `-lock-timeout`. */
    readonly stateLockMs: number;
  };
  /** How long running runs may go on after SIGTERM before they are stopped. */
  readonly drainGraceMs: number;
  readonly checkoutStrategy: 'merge' | 'branch';
  /** Whether drafts are planned by themselves. */
  readonly autoplanDrafts: boolean;
  readonly forks: 'off' | 'plan';
  readonly automerge: boolean;
  /** undefined: the host's default. */
  readonly automergeMethod: 'merge' | 'squash' | 'rebase' | undefined;
  readonly verify: 'block' | 'warn';
  readonly verifyIgnore: readonly VerifyIgnore[];
  readonly repoLocks: RepoLocksMode;
  readonly retention: {
    readonly logsMs: number;
    readonly plansMs: number;
    readonly deliveriesMs: number;
    readonly mirrorsMs: number;
    readonly runsMs: number;
    readonly auditMs: number;
  };
  readonly minimumFreeBytes: number;
  /** 32 bytes; undefined: made at the first start and kept in the data directory. */
  readonly encryptionKey: Secret<Uint8Array> | undefined;
  /** Still tried for what was sealed before the key was changed. */
  readonly previousEncryptionKeys: readonly Secret<Uint8Array>[];
  readonly credentials: readonly CredentialConfig[];
  readonly terraform: {
    readonly distribution: TerraformDistribution;
    /** Beside what is on the PATH. */
    readonly binaries: readonly TerraformBinary[];
  };
  readonly providerMirror: {
    /** A filesystem mirror that the operator fills; read-only to runs. */
    readonly directory: string | undefined;
    /** Whether Holdfast fetches what is missing from the registries. */
    readonly download: boolean;
  };
  readonly drift: DriftConfig;
  readonly notifications: readonly NotificationConfig[];
  readonly permissions: TeamPermissions;
  readonly github: GithubConfig | undefined;
  readonly proxyUrl: Secret | undefined;
  readonly noProxy: readonly string[];
  readonly repos: readonly RepositoryRule[];
  readonly workflows: ReadonlyMap<string, Workflow>;
}

export interface DriftConfig {
  /** What holds where neither a rule nor a repository says otherwise. */
  readonly defaults: RepositoryDriftKeys;
  /** Checks at once; undefined: as many as the workers have room for. */
  readonly limits: {
    readonly maxConcurrent: number | undefined;
    readonly perRepository: number | undefined;
    readonly perCredential: number | undefined;
  };
}

/** Somebody who is told of drift, and how. */
export type NotificationConfig = NotificationReceiver & {
  /** Whoever knows it may often write there. */
  readonly url: Secret;
  /** PEM text of certificates to trust beside the system's. */
  readonly ca: string | undefined;
  readonly allowLinkLocal: boolean;
} & ({ readonly kind: 'webhook'; readonly secret: Secret } | { readonly kind: 'slack' });

export interface SandboxConfig {
  readonly kind: 'bubblewrap' | 'none';
  readonly network: 'none' | 'egress' | 'host';
  readonly mounts: readonly { readonly path: string; readonly mode: 'ro' | 'rw' }[];
  readonly memoryBytes: number;
  readonly processes: number;
  readonly diskBytes: number;
  /** Of one command, stdout and stderr together. */
  readonly outputBytes: number;
}

/** A difference that does not count when a plan is verified before it is applied. Both are globs. */
export interface VerifyIgnore {
  readonly address: string;
  readonly attribute: string;
}

export interface TerraformBinary {
  readonly distribution: TerraformDistribution;
  readonly version: string;
  readonly path: string;
}

export type CredentialPhase = 'init' | 'plan' | 'apply';

/** What runs are given, for the projects that every glob list of the selector matches; an empty list matches all. */
export interface CredentialConfig {
  readonly name: string;
  readonly phases: readonly CredentialPhase[];
  readonly selector: {
    /** Globs of `host/owner/name`. */
    readonly repositories: readonly string[];
    readonly dirs: readonly string[];
    readonly workspaces: readonly string[];
    /** Globs of project names; a project without a name is matched by an empty list only. */
    readonly projects: readonly string[];
  };
  readonly env: Readonly<Record<string, Secret>>;
  /** Files of the server that the sandbox sees read-only. */
  readonly files: readonly { readonly source: string; readonly target: string }[];
  /** argv of a program that runs on the server and prints `{"env": {"NAME": "value"}}`; undefined: none. */
  readonly command: readonly [string, ...string[]] | undefined;
}

export interface GithubConfig {
  /** Without a slash at its end. */
  readonly apiUrl: string;
  /** The API URL's host name without port; `github.com` for the public API. */
  readonly host: string;
  /** Has `{owner}` and `{repo}`, and no credential. */
  readonly cloneUrl: string;
  /** What the operator's clone URL held before its host; git gets it in place of the token, and never in a URL. */
  readonly cloneCredential: { readonly username: string; readonly password: Secret } | undefined;
  readonly auth:
    | { readonly kind: 'token'; readonly token: Secret }
    | { readonly kind: 'app'; readonly appId: string; readonly privateKey: Secret };
  /** The first is what a new webhook is set up with; all are accepted. At least one. */
  readonly webhookSecrets: readonly [Secret, ...Secret[]];
  /** PEM text of certificates to trust beside the system's. */
  readonly ca: string | undefined;
  readonly writesPerMinute: number;
  readonly writesPerHour: number;
}
