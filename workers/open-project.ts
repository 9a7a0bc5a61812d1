import { mkdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Project } from '../src/core/project.ts';
import { workspaceVarFile } from '../src/core/workspace-var-file.ts';
import type { CommitSha, Repository } from '../src/core/repository.ts';
import type { ClaimedRun } from '../src/ports/run-store.ts';
import type { SandboxSlot } from '../src/ports/sandbox.ts';
import type { CommitFacts } from './commit-facts.ts';
import type { RunContext } from './run-context.ts';
import type { LeaseKeeper } from './keep-lease.ts';
import { openRunOutput, type RunOutput } from './run-output.ts';
import { findCredentials } from './find-credentials.ts';
import { findProjectSecrets } from './project-secrets.ts';
import { ProjectRefusedError } from './project-refused-error.ts';
import { joinPath } from '../src/core/repository-path.ts';
import { listProviders } from '../src/core/root-module.ts';
import {
  DEFAULT_STEP_LIMITS,
  NO_CREDENTIALS,
  type ProjectRun,
  type StepFacts,
  type StepLimits,
} from './steps/project-run.ts';

const MAX_LOCK_FILE_BYTES = 1024 * 1024;
/** Progress is stored at this pace at most, milliseconds. */
const PROGRESS_MS = 1_000;

/** A project laid out for its steps: its own folder, slot, credentials and output, which is stored whole when it is closed. */
export interface OpenProject extends AsyncDisposable {
  readonly projectRun: ProjectRun;
  readonly output: RunOutput;
}

export interface OpenRequest {
  readonly run: ClaimedRun;
  readonly repository: Repository;
  /** Code of strangers, such as a fork's, gets none. */
  readonly withCredentials: boolean;
  readonly facts: StepFacts;
  readonly commit: CommitFacts;
  readonly keeper: LeaseKeeper;
  /** Values to mask that are known from an earlier plan of the project. */
  readonly knownSecrets: readonly string[];
  readonly expectedResources: number | undefined;
  /** What followed `--` in the plan command, for its verification, too. */
  readonly commandArgs: readonly string[];
  /** Only looks: the state is not locked, and what is there is always read. */
  readonly observes: boolean;
  /** Folder and slot go with it: after the end of the run is on record, so that nobody waits for that. */
  readonly afterwards: AsyncDisposableStack;
}

export async function openProject(context: RunContext, request: OpenRequest): Promise<OpenProject> {
  const { run, commit, repository } = request;
  await refuseWhenDiskIsLow(context);
  const root = commit.configuration.get(run.project.dir);
  const terraform = await context.terraform.find({
    distribution: run.project.terraformDistribution,
    version: run.project.terraformVersion,
    requiredVersions: root?.requiredVersions ?? [],
  });
  if ('problem' in terraform) throw new ProjectRefusedError(terraform.problem);
  const credentials = request.withCredentials
    ? await findCredentials(context, repository, run.project)
    : NO_CREDENTIALS;
  const secrets = await findProjectSecrets(context, repository, commit, run.project, credentials);
  const output = openRunOutput(context, run.lease, [...request.knownSecrets, ...secrets]);
  // A run that was given back may be claimed anew while its former folder is still being removed.
  const folder = join(context.workDirectory, `${run.id}-${run.lease.token}`);
  const checkoutDirectory = join(folder, 'checkout');
  const directory = join(folder, 'run');
  try {
    const slot = request.afterwards.adopt(await context.sandbox.openSlot(context.config.sandbox), (open) =>
      open.close(),
    );
    request.afterwards.defer(() => removeFolder(slot, folder));
    await mkdir(checkoutDirectory, { recursive: true });
    await mkdir(directory);
    await exportCommit(context, repository, commit.sha, checkoutDirectory, output);
    const lockFile = await readLockFile(context, repository, commit, run.project.dir);
    const missing = await context.providerMirror.fill({
      requirements: listProviders(commit.configuration, run.project.dir),
      lockFile,
      terraform,
      credentials: credentials.init,
      signal: request.keeper.signal,
    });
    for (const problem of missing) output.onLine(problem);
    const projectRun: ProjectRun = {
      slot,
      checkoutDirectory,
      directory,
      fixedPaths: context.sandbox.kind === 'bubblewrap',
      project: run.project,
      backend: root?.backend,
      facts: request.facts,
      observes: request.observes,
      terraform,
      credentials,
      network: context.config.sandbox.network,
      mounts: context.config.sandbox.mounts.map(({ path, mode }) => ({ source: path, mode })),
      providers: context.providerSources,
      limits: stepLimits(context),
      commandArgs: [...varFileArgs(run.project, commit), ...request.commandArgs],
      digestKey: context.digestKey,
      verifyIgnore: context.config.verifyIgnore,
      expectedResources: request.expectedResources,
      onLine: output.onLine,
      onProgress: progressWriter(context, run),
      onSensitiveValues: output.maskValues,
      signal: request.keeper.signal,
    };
    return { projectRun, output, [Symbol.asyncDispose]: () => output.close() };
  } catch (error) {
    await output.close();
    throw error;
  }
}

/** An ordinary user cannot remove what a run has closed to everybody, before it is opened again. */
async function removeFolder(slot: SandboxSlot, folder: string): Promise<void> {
  const remove = () => rm(folder, { recursive: true, force: true });
  await remove().catch(async () => {
    await slot.reclaim(folder);
    await remove();
  });
}

async function readLockFile(
  { commits }: RunContext,
  repository: Repository,
  commit: CommitFacts,
  dir: string,
): Promise<string | undefined> {
  const path = joinPath(dir, '.terraform.lock.hcl');
  if (!commit.paths.includes(path)) return undefined;
  return (await commits.readFiles(repository, commit.sha, [path], MAX_LOCK_FILE_BYTES)).get(path);
}

async function exportCommit(
  context: RunContext,
  repository: Repository,
  sha: CommitSha,
  into: string,
  output: RunOutput,
): Promise<void> {
  const report = await context.mirror.export(repository, sha, into);
  for (const { path, reason } of report.refused) output.onLine(`not checked out: ${path}: ${reason}`);
  for (const note of report.notes) output.onLine(note);
}

/** As Atlantis does: `env/<workspace>.tfvars` counts without being named. */
function varFileArgs({ dir, workspace }: Project, { paths }: CommitFacts): readonly string[] {
  const file = workspaceVarFile(dir, workspace, new Set(paths));
  return file === undefined ? [] : [`-var-file=${file}`];
}

async function refuseWhenDiskIsLow({ workDirectory, config }: RunContext): Promise<void> {
  const { bavail, bsize } = await statfs(workDirectory);
  const free = bavail * bsize;
  if (free >= config.minimumFreeBytes) return;
  const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MB`;
  throw new ProjectRefusedError(
    `The disk of the worker is nearly full: ${megabytes(free)} are free, and new runs need ${megabytes(config.minimumFreeBytes)}. Nothing was run. An operator has to make room; then try again.`,
  );
}

function stepLimits({ config }: RunContext): StepLimits {
  const { timeouts, sandbox } = config;
  return {
    ...DEFAULT_STEP_LIMITS,
    initMs: timeouts.initMs,
    planMs: timeouts.planMs,
    applyMs: timeouts.applyMs,
    customMs: timeouts.stepMs,
    graceMs: timeouts.graceMs,
    lockTimeoutSeconds: Math.round(timeouts.stateLockMs / 1000),
    outputBytes: sandbox.outputBytes,
  };
}

/** Stores progress at a human pace, for whoever looks at it next; a failure to do so is no failure of the run. */
function progressWriter(context: RunContext, run: ClaimedRun): ProjectRun['onProgress'] {
  let writtenAt = 0;
  let phase: string | undefined;
  return (progress) => {
    const now = performance.now();
    if (progress.phase === phase && now - writtenAt < PROGRESS_MS) return;
    phase = progress.phase;
    writtenAt = now;
    void context.runs.saveProgress(run.lease, progress).catch(() => undefined);
  };
}
