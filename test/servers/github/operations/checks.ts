import { announce, type Hub } from '../hub.ts';
import type { Account, App, CheckRun, CheckRunOutput, CheckSuite, CommitStatus, Repository } from '../state/model.ts';
import { listCommits } from '../state/git-store.ts';
import { pullsOf } from '../state/world.ts';
import { checkRunView, suiteView } from '../views/commits.ts';

export function addStatus(
  hub: Hub,
  repository: Repository,
  order: Omit<CommitStatus, 'id' | 'nodeId' | 'createdAt'>,
): CommitStatus {
  const id = hub.world.nextId();
  const status: CommitStatus = { id, nodeId: hub.world.nodeId('SC', id), createdAt: new Date(), ...order };
  repository.statuses.push(status);
  return status;
}

export function countStatuses(repository: Repository, sha: string, context: string): number {
  const wanted = context.toLowerCase();
  return repository.statuses.filter((status) => status.sha === sha && status.context.toLowerCase() === wanted).length;
}

/** One suite per App and commit, made on demand. */
export function ensureSuite(hub: Hub, repository: Repository, app: App, sha: string): CheckSuite {
  const existing = repository.suites.find((suite) => suite.app === app && suite.headSha === sha);
  if (existing !== undefined) return existing;
  const id = hub.world.nextId();
  const pull = pullsOf(repository).find((one) => one.headSha === sha && one.headRepository === repository);
  const headBranch = pull?.headRef ?? null;
  const suite: CheckSuite = {
    id,
    nodeId: hub.world.nodeId('CS', id),
    app,
    headSha: sha,
    headBranch,
    createdAt: new Date(),
  };
  repository.suites.push(suite);
  return suite;
}

export interface CheckRunChange {
  readonly name?: string | undefined;
  readonly externalId?: string | undefined;
  readonly detailsUrl?: string | undefined;
  readonly status?: CheckRun['status'] | undefined;
  readonly conclusion?: string | undefined;
  readonly startedAt?: Date | undefined;
  readonly completedAt?: Date | undefined;
  readonly output?: Partial<CheckRunOutput> | undefined;
  readonly actions?: CheckRun['actions'] | undefined;
}

export function addCheckRun(
  hub: Hub,
  repository: Repository,
  app: App,
  sha: string,
  name: string,
  change: CheckRunChange,
): CheckRun {
  const id = hub.world.nextId();
  const run: CheckRun = {
    id,
    nodeId: hub.world.nodeId('CR', id),
    suite: ensureSuite(hub, repository, app, sha),
    app,
    name,
    headSha: sha,
    externalId: '',
    detailsUrl: `${hub.urls.html}/apps/${app.slug}`,
    status: 'queued',
    conclusion: null,
    startedAt: new Date(),
    completedAt: undefined,
    output: { title: null, summary: null, text: null },
    actions: [],
  };
  repository.checkRuns.push(run);
  changeCheckRun(run, change);
  return run;
}

/** A conclusion completes the run, whatever status came with it. */
export function changeCheckRun(run: CheckRun, change: CheckRunChange): void {
  run.name = change.name ?? run.name;
  run.externalId = change.externalId ?? run.externalId;
  run.detailsUrl = change.detailsUrl ?? run.detailsUrl;
  run.startedAt = change.startedAt ?? run.startedAt;
  run.output = { ...run.output, ...change.output };
  run.actions = change.actions ?? run.actions;
  run.status = change.conclusion === undefined ? (change.status ?? run.status) : 'completed';
  if (run.status === 'completed') {
    run.conclusion = change.conclusion ?? run.conclusion;
    run.completedAt = change.completedAt ?? run.completedAt ?? new Date();
  } else {
    run.conclusion = null;
    run.completedAt = undefined;
  }
}

async function eventRun(hub: Hub, repository: Repository, run: CheckRun) {
  const view = checkRunView(hub.urls, repository, run);
  const suite = await eventSuite(hub, repository, run.suite);
  const { head_commit: _head, latest_check_runs_count: _count, check_runs_url: _url, ...rest } = suite;
  return { ...view, check_suite: rest };
}

async function eventSuite(hub: Hub, repository: Repository, suite: CheckSuite) {
  const [head] = await listCommits(repository.gitDirectory, suite.headSha, 1);
  if (head === undefined) throw new Error(`Commit ${suite.headSha} is gone.`);
  return suiteView(hub.urls, repository, suite, head);
}

/** A press of one of the run's buttons; only the App that made the run hears of it. */
export async function pressButton(
  hub: Hub,
  repository: Repository,
  run: CheckRun,
  identifier: string,
  by: Account,
): Promise<void> {
  const action = run.actions.find((one) => one.identifier === identifier);
  if (action === undefined || run.status !== 'completed')
    throw new Error(`The check run shows no button "${identifier}".`);
  const payload = {
    action: 'requested_action',
    check_run: await eventRun(hub, repository, run),
    requested_action: { identifier },
  };
  announce(hub, 'check_run', repository, by, payload, run.app.id);
}

export async function rerequestRun(hub: Hub, repository: Repository, run: CheckRun, by: Account): Promise<void> {
  announce(
    hub,
    'check_run',
    repository,
    by,
    { action: 'rerequested', check_run: await eventRun(hub, repository, run) },
    run.app.id,
  );
}

export async function rerequestSuite(hub: Hub, repository: Repository, suite: CheckSuite, by: Account): Promise<void> {
  const payload = { action: 'rerequested', check_suite: await eventSuite(hub, repository, suite) };
  announce(hub, 'check_suite', repository, by, payload, suite.app.id);
}
