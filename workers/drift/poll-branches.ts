import { createHash } from 'node:crypto';
import type { BranchProject } from '../../src/core/drift/drift-project.ts';
import { resolveDriftSettings } from '../../src/core/drift/settings.ts';
import { HostRefusedError, HostUnavailableError } from '../../src/core/host-error.ts';
import { digestProjectInputs } from '../../src/core/project-inputs.ts';
import { projectKey } from '../../src/core/project.ts';
import type { CommitSha } from '../../src/core/repository.ts';
import type { TrackedBranch } from '../../src/ports/drift-store.ts';
import { MirrorError } from '../../src/ports/repository-mirror.ts';
import type { GitSource, VcsHost } from '../../src/ports/vcs-host.ts';
import { rulesOf } from '../gather-pull-request.ts';
import { resolveCommits } from '../resolve-commits.ts';
import type { RunContext } from '../run-context.ts';

/** How often the tip of a branch is asked for, milliseconds: one request per repository, whatever its number of projects. */
const POLL_EVERY_MS = 60_000;
const AT_ONCE = 100;

/** Reads the projects of the branches that moved since the last time. */
export async function pollBranches(context: RunContext): Promise<void> {
  const before = new Date(context.now().getTime() - POLL_EVERY_MS);
  for (const branch of await context.drift.claimPolls(before, AT_ONCE)) {
    if (context.stop.noMore.aborted) return;
    await pollBranch(context, branch).catch((error: unknown) => unread(context, branch, error));
  }
}

async function pollBranch(context: RunContext, branch: TrackedBranch): Promise<void> {
  const host = context.hosts.get(branch.repository.host);
  if (host === undefined) return;
  const source = await host.getGitSource(branch.repository);
  const tip = await context.mirror.findTip(source, branch.branch);
  if (tip === undefined) return branchIsGone(context, host, branch);
  const settingsDigest = digestSettings(context, branch);
  if (tip === branch.syncedTip && settingsDigest === branch.settingsDigest) {
    return context.drift.saveProblem(branch.repositoryId, undefined);
  }
  await readProjects(context, branch, source, tip, settingsDigest);
}

/** Renamed, perhaps, and no webhook told of it. */
async function branchIsGone(context: RunContext, host: VcsHost, branch: TrackedBranch): Promise<void> {
  const repository = await host.getRepository(branch.repository);
  await context.pulls.saveRepository(repository);
  if (repository.defaultBranch !== branch.branch) return context.drift.track(repository, repository.defaultBranch);
  await context.drift.saveProblem(branch.repositoryId, `The branch ${branch.branch} does not exist.`);
}

/** What the server's config has to do with how projects are read. */
function digestSettings(context: RunContext, { repository }: TrackedBranch): string {
  const rules = rulesOf(context, repository);
  const text = JSON.stringify({ ...rules, workflows: [...rules.workflows] });
  return createHash('sha256').update(text).digest('hex');
}

async function readProjects(
  context: RunContext,
  branch: TrackedBranch,
  source: GitSource,
  tip: CommitSha,
  settingsDigest: string,
): Promise<void> {
  const { repository, repositoryId } = branch;
  const fetched = await context.mirror.fetch(repository, source, [`refs/heads/${branch.branch}`]);
  // It may have moved on since.
  const head = fetched.get(`refs/heads/${branch.branch}`) ?? tip;
  const rules = rulesOf(context, repository);
  const found = await resolveCommits(context, {
    repository,
    rules,
    baseBranch: branch.branch,
    base: head,
    head,
    changed: [],
  });
  const { projects } = found;
  if (projects.problems.length > 0) {
    const [first] = projects.problems.map(
      ({ file, line, message }) => `${file}${line === undefined ? '' : `:${line}`}: ${message}`,
    );
    const others = projects.problems.length > 1 ? ` (and ${projects.problems.length - 1} more)` : '';
    return context.drift.saveProblem(repositoryId, `Its config cannot be read: ${first}${others}.`);
  }
  const commit = await context.commits.read(repository, head);
  const read = projects.all
    .filter(({ unplannable }) => unplannable === undefined)
    .map(
      ({ project, drift }): BranchProject => ({
        key: projectKey(repository, project, projects.nameCounts(project)),
        project,
        settings: resolveDriftSettings({ server: rules.drift, repository: found.config?.drift, project: drift }),
        inputsDigest: digestProjectInputs(commit, project),
      }),
    );
  await context.drift.syncProjects(repositoryId, { tip: head, settingsDigest, projects: read }, context.now());
  context.logger.info({ repository: repositoryId, tip: head, projects: read.length }, 'tracked branch read');
}

/** An outage is waited for; what is said of it is what an operator has to do something about. */
async function unread(context: RunContext, { repositoryId }: TrackedBranch, error: unknown): Promise<void> {
  context.logger.warn({ repository: repositoryId, error }, 'a tracked branch could not be read');
  const isOutage =
    error instanceof HostUnavailableError || (error instanceof MirrorError && error.kind === 'unavailable');
  if (isOutage) return;
  const isRefusal = error instanceof HostRefusedError || error instanceof MirrorError;
  const sentence = isRefusal
    ? `It cannot be read: ${error.message}`
    : 'It cannot be read; the log of Holdfast says why.';
  await context.drift.saveProblem(repositoryId, sentence);
}
