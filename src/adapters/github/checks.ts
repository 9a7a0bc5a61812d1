import { HostRefusedError } from '../../core/host-error.ts';
import { type CommitSha, fullName, type RepositoryRef } from '../../core/repository.ts';
import type { CheckRun, CommitStatus, WriteOptions } from '../../ports/vcs-host.ts';
import type { HostParts } from './host-parts.ts';
import { isStatus } from './repositories.ts';
import { orHostError } from './to-host-error.ts';

/** Characters of a commit status' description; more is answered 422. */
export const STATUS_DESCRIPTION_LENGTH = 140;
/** Characters of a check run's summary (the schema's `maxLength`). */
export const CHECK_SUMMARY_LENGTH = 65_535;
/** Buttons of a check run, shown once it is completed. */
const ACTIONS = 3;
/** One per pull request with this head; the longest page GitHub gives has room for more than there are. */
const MOST_OF_ONE_NAME = 100;

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

  function refuseWithoutApp(): void {
    if (credentials.appId !== undefined) return;
    throw new HostRefusedError('only a GitHub App may write check runs; use commit statuses with a token', {
      status: undefined,
      neededPermission: 'checks=write',
    });
  }

  async function createCheckRun(ref: RepositoryRef, run: CheckRun, options?: WriteOptions): Promise<string> {
    refuseWithoutApp();
    return orHostError(clock, `make the check run ${run.name} of ${fullName(ref)}@${run.headSha}`, async () => {
      const { octokit, budget } = await credentials.forRepository(ref, 'publish');
      await budget.take(options);
      const { data } = await octokit.rest.checks.create({
        ...checkRunFields(ref, run),
        ...progress(run),
        head_sha: run.headSha,
      });
      return String(data.id);
    });
  }

  async function updateCheckRun(ref: RepositoryRef, id: string, run: CheckRun, options?: WriteOptions) {
    refuseWithoutApp();
    return orHostError(clock, `write the check run ${run.name} of ${fullName(ref)}@${run.headSha}`, async () => {
      const { octokit, budget } = await credentials.forRepository(ref, 'publish');
      await budget.take(options);
      try {
        await octokit.rest.checks.update({ ...checkRunFields(ref, run), ...progress(run), check_run_id: Number(id) });
        return true;
      } catch (error) {
        if (isStatus(error, 404)) return false;
        throw error;
      }
    });
  }

  /** Of all, not of the `latest`: two pull requests with one head have a check run of the same name each. */
  async function findOwnCheckRun(
    ref: RepositoryRef,
    { name, headSha, externalId }: Pick<CheckRun, 'name' | 'headSha' | 'externalId'>,
  ): Promise<string | undefined> {
    refuseWithoutApp();
    const { appId } = credentials;
    return orHostError(clock, `look for the check run ${name} of ${fullName(ref)}@${headSha}`, async () => {
      const { octokit } = await credentials.forRepository(ref, 'facts');
      const { data } = await octokit.rest.checks.listForRef({
        owner: ref.owner,
        repo: ref.name,
        ref: headSha,
        check_name: name,
        app_id: Number(appId),
        filter: 'all',
        per_page: MOST_OF_ONE_NAME,
      });
      const own = data.check_runs.find((run) => run.external_id === externalId && String(run.app?.id) === appId);
      return own && String(own.id);
    });
  }

  return { setCommitStatus, createCheckRun, updateCheckRun, findOwnCheckRun };
}
