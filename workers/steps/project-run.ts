import type { CanonicalPlan, IgnoreRule } from '../../src/core/canonical-plan.ts';
import type { Diagnostic, PlanSummary, Progress } from '../../src/core/plan.ts';
import type { PlanJson } from '../../src/core/plan-json.ts';
import type { Project } from '../../src/core/project.ts';
import type { Backend } from '../../src/core/root-module.ts';
import type { Secret } from '../../src/lib/secret.ts';
import type { Mount, NetworkMode, SandboxSlot } from '../../src/ports/sandbox.ts';
import type { StateLock } from './state-lock.ts';
import type { TerraformBinary } from './terraform-binary.ts';

/** What one phase may know: variables and read-only files. */
export interface PhaseCredentials {
  readonly env: Readonly<Record<string, Secret>>;
  readonly mounts: readonly Mount[];
}

/**
 * `init` holds what fetches modules and providers; no custom step and no provider ever runs where it is visible.
 * Since init also opens the state's backend, it sees the credentials of the stage it runs in (`plan` or `apply`) as well.
 */
export interface Credentials {
  readonly init: PhaseCredentials;
  readonly plan: PhaseCredentials;
  readonly apply: PhaseCredentials;
}

export const NO_CREDENTIALS: Credentials = {
  init: { env: {}, mounts: [] },
  plan: { env: {}, mounts: [] },
  apply: { env: {}, mounts: [] },
};

/** Where providers come from inside a run; all directories are mounted read-only. */
export interface ProviderSources {
  /** Filesystem mirrors, the first that has a provider wins. */
  readonly mirrorDirectories: readonly string[];
  /** What the mirrors need to be run, such as an interpreter; read-only. */
  readonly mounts: readonly Mount[];
  /** Whether a run may ask registries itself for what the mirrors lack. */
  readonly direct: boolean;
}

export interface StepLimits {
  /** Of one terraform or custom process, milliseconds. */
  readonly initMs: number;
  readonly planMs: number;
  readonly applyMs: number;
  readonly customMs: number;
  readonly showMs: number;
  /** From SIGINT to SIGKILL. An apply should have long enough to save its state. */
  readonly graceMs: number;
  /** How long Terraform waits for a state lock, seconds. */
  readonly lockTimeoutSeconds: number;
  /** Output of one process that is kept, bytes. */
  readonly outputBytes: number;
  /** Largest plan file, lock file and `errored.tfstate` that are taken out of the sandbox, bytes. */
  readonly artifactBytes: number;
  /** Largest answer of `show -json`, bytes. */
  readonly planJsonBytes: number;
}

export const DEFAULT_STEP_LIMITS: StepLimits = {
  initMs: 5 * 60_000,
  planMs: 30 * 60_000,
  applyMs: 120 * 60_000,
  customMs: 30 * 60_000,
  showMs: 5 * 60_000,
  graceMs: 120_000,
  lockTimeoutSeconds: 20,
  outputBytes: 16 * 1024 * 1024,
  artifactBytes: 64 * 1024 * 1024,
  planJsonBytes: 128 * 1024 * 1024,
};

/** What custom steps are told of the pull request, under Atlantis' names. All values are facts from the VCS host, but names in them are chosen by people: hostile text. */
export interface StepFacts {
  readonly baseRepoName: string;
  readonly baseRepoOwner: string;
  readonly headRepoName: string;
  readonly headRepoOwner: string;
  readonly headBranchName: string;
  readonly headCommit: string;
  readonly baseBranchName: string;
  readonly pullNumber: number | undefined;
  readonly pullUrl: string | undefined;
  readonly pullAuthor: string | undefined;
  /** Who gave the command. */
  readonly userName: string | undefined;
  readonly pullApproved: boolean | undefined;
  readonly pullMergeable: boolean | undefined;
}

/** One project being worked on, from the first plan step to the last apply step, in one slot and one checkout. */
export interface ProjectRun {
  readonly slot: SandboxSlot;
  /** Folder with the commit's files; it is given to the slot. */
  readonly checkoutDirectory: string;
  /** An empty folder of this run alone, beside the checkout and not inside it; plan file, homes and CLI config are put here. */
  readonly directory: string;
  /** True where mounts can have targets of their own (bubblewrap): the checkout then always appears under one path, so that `abspath()` gives the same plan twice. */
  readonly fixedPaths: boolean;
  readonly project: Project;
  /** What the configuration files declare, as far as they could be read; init tells the rest. */
  readonly backend: Backend | undefined;
  readonly facts: StepFacts;
  /** Only looks: the state is not locked, and what is there is always read. */
  readonly observes: boolean;
  readonly terraform: TerraformBinary;
  readonly credentials: Credentials;
  readonly network: NetworkMode;
  /** The operator's mounts, `rw` ones included. */
  readonly mounts: readonly Mount[];
  readonly providers: ProviderSources;
  readonly limits: StepLimits;
  /** What followed `--` in the command, for `plan` (and once more for its verification); never for init. */
  readonly commandArgs: readonly string[];
  /** Key of the keyed hashes in canonical plans; one per installation. */
  readonly digestKey: Secret<Uint8Array>;
  readonly verifyIgnore: readonly IgnoreRule[];
  /** Resources the last plan or state had, for "refreshed n of m". */
  readonly expectedResources: number | undefined;
  /** One line for people; hostile and not yet masked. */
  readonly onLine: (line: string) => void;
  readonly onProgress: (progress: Progress) => void;
  /** Values to mask, given as soon as they are known and before any line that may hold them where that is possible. */
  readonly onSensitiveValues: (values: readonly string[]) => void;
  readonly signal: AbortSignal;
}

/** One finished step, for "timing per phase". */
export interface StepTiming {
  readonly name: string;
  readonly durationMs: number;
}

/** All there is to know of a plan. Facts come from the plan file alone. */
export interface PlannedProject {
  readonly kind: 'planned';
  readonly summary: PlanSummary;
  readonly canonical: CanonicalPlan;
  /** Everything the plan file says; holds secrets in clear, and is never stored. */
  readonly json: PlanJson;
  /** The text `terraform show` prints; hostile, Terraform's own masking only. Empty for one that only observes. */
  readonly planText: string;
  /** Resource instances in the state before this plan; `expectedResources` of the next one. */
  readonly stateResources: number;
  /** Hold secrets in clear: to be sealed before they are stored. */
  readonly planFile: Uint8Array;
  readonly lockFile: Uint8Array | undefined;
  readonly sensitiveValues: readonly string[];
  /** Warnings, and what else was reported. */
  readonly diagnostics: readonly Diagnostic[];
  /** Why this plan may be looked at but not applied, or undefined. */
  readonly applyRefusal: string | undefined;
  readonly timings: readonly StepTiming[];
}

export interface FailedProject {
  readonly kind: 'failed';
  /** The step that failed: `init`, `plan`, `run: make lint` ... */
  readonly step: string;
  /** What happened and what to do, in sentences. May quote output: not yet masked. */
  readonly reason: string;
  readonly diagnostics: readonly Diagnostic[];
  /** The last lines of the failed step. */
  readonly outputTail: readonly string[];
  readonly stateLock: StateLock | undefined;
  /** State that Terraform could not save to its backend (`errored.tfstate`); holds secrets in clear. */
  readonly erroredState: Uint8Array | undefined;
  readonly timings: readonly StepTiming[];
}

/** Stopped through `signal`. After an apply had begun, what it did until then is real. */
export interface CancelledProject {
  readonly kind: 'cancelled';
  readonly step: string;
  /** It did not end within its grace, so nobody knows what it did. */
  readonly killed?: boolean;
  readonly diagnostics: readonly Diagnostic[];
  readonly outputTail: readonly string[];
  readonly erroredState: Uint8Array | undefined;
  readonly timings: readonly StepTiming[];
}

/** Nothing was started, for a reason that no retry changes: a cloud backend, arguments that are not allowed, a state that would be lost. */
export interface RefusedProject {
  readonly kind: 'refused';
  readonly reason: string;
}

export interface AppliedProject {
  readonly kind: 'applied';
  readonly diagnostics: readonly Diagnostic[];
  /** Objects that were really created, changed and destroyed, as Terraform counted them in its last event; display only. */
  readonly applied: { readonly add: number; readonly change: number; readonly destroy: number } | undefined;
  /** What people would have seen in a terminal, the last lines of it. */
  readonly outputTail: readonly string[];
  /** Set when Terraform said "ok" and left an `errored.tfstate` all the same. */
  readonly erroredState: Uint8Array | undefined;
  readonly timings: readonly StepTiming[];
}

export type PlanOutcome = PlannedProject | FailedProject | CancelledProject | RefusedProject;
export type ApplyOutcome = AppliedProject | FailedProject | CancelledProject | RefusedProject;
