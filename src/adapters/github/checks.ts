import { HostRefusedError } from '../../core/host-error.ts';
import { type CommitSha, fullName, type RepositoryRef } from '../../core/repository.ts';
import type { CheckRun, CommitStatus, WriteOptions } from '../../ports/vcs-host.ts';
import type { Client } from './api-context.ts';
import type { HostParts } from './host-parts.ts';
import { isStatus } from './repositories.ts';
import { orHostError } from './to-host-error.ts';

/** Characters of a commit status' description; more is answered 422. */
export const STATUS_DESCRIPTION_LENGTH = 140;
/** Characters of a check run's summary (the schema's `maxLength`). */
export const CHECK_SUMMARY_LENGTH = 65_535;
/** Buttons of a check run, shown once it is completed. */
const ACTIONS = 3;

function checkRunFields(ref: RepositoryRef, run: CheckRun) {
  const completed = run.status === 'completed';
  return {
    owner: ref.owner,
    repo: ref.name,
    name: run.name,
    external_id: run.externalId,
    details_url: run.url,
    output: { title: run.title, summary: run.summary },
    actions: completed ? run.actions.slice(0, ACTIONS).map((action) => ({ ...action })) : [],
  };
}

/** GitHub completes a run as soon as it has a conclusion, and takes none before. */
function progress(run: CheckRun) {
  return run.status === 'completed'
    ? { status: run.status, conclusion: run.conclusion ?? ('neutral' as const) }
    : { status: run.status };
}

export function createChecks(parts: HostParts) {
  const { credentials, clock } = parts;

  async function setCommitStatus(ref: RepositoryRef, sha: CommitSha, status: CommitStatus, options?: WriteOptions) {
    await orHostError(clock, `set the status ${status.context} of ${fullName(ref)}@${sha}`, async () => {
      const { octokit, budget } = await credentials.forRepository(ref, 'publish');
      await budget.take(options);
      await octokit.rest.repos.createCommitStatus({
        owner: ref.owner,
        repo: ref.name,
        sha,
        state: status.state,
        context: status.context,
        description: status.description,
        target_url: status.url,
      });
    });
  }

  async function updated(client: Client, ref: RepositoryRef, run: CheckRun, id: string): Promise<string | undefined> {
    try {
      const { data } = await client.octokit.rest.checks.update({
        ...checkRunFields(ref, run),
        ...progress(run),
        check_run_id: Number(id),
      });
      return String(data.id);
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  /** A check run that the host no longer knows is made again. */
  async function ensureCheckRun(ref: RepositoryRef, run: CheckRun, options?: WriteOptions): Promise<string> {
    if (credentials.appId === undefined) {
      throw new HostRefusedError('only a GitHub App may write check runs; use commit statuses with a token', {
        status: undefined,
        neededPermission: 'checks=write',
      });
    }
    return orHostError(clock, `write the check run ${run.name} of ${fullName(ref)}@${run.headSha}`, async () => {
      const client = await credentials.forRepository(ref, 'publish');
      await client.budget.take(options);
      const known = run.id === undefined ? undefined : await updated(client, ref, run, run.id);
      if (known !== undefined) return known;
      if (run.id !== undefined) await client.budget.take(options);
      const { data } = await client.octokit.rest.checks.create({
        ...checkRunFields(ref, run),
        ...progress(run),
        head_sha: run.headSha,
      });
      return String(data.id);
    });
  }

  return { setCommitStatus, ensureCheckRun };
}
