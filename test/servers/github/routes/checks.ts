import { ApiError, notFound, unprocessable } from '../http/api-error.ts';
import { appOf, needs, type Route, type RouteRequest, repositoryOf, text } from '../http/route.ts';
import { addCheckRun, type CheckRunChange, changeCheckRun } from '../operations/checks.ts';
import type { CheckRun, CheckSuite } from '../state/model.ts';
import { listCommits, resolveCommit } from '../state/git-store.ts';
import { checkRunView, suiteView } from '../views/commits.ts';
import { minimalRepository } from '../views/repositories.ts';

const READ = needs('read', { checks: 'read' });
const WRITE = needs('write', { checks: 'write' });
/** GitHub's limits in characters; the last three are those of a button. */
const MAX = { summary: 65_535, text: 65_535, title: 255, label: 20, description: 40, identifier: 20 };

function runOf(request: RouteRequest): CheckRun {
  const run = repositoryOf(request).checkRuns.find((one) => one.id === Number(request.params['check_run_id']));
  if (run === undefined) throw notFound();
  return run;
}

function suiteOf(request: RouteRequest): CheckSuite {
  const suite = repositoryOf(request).suites.find((one) => one.id === Number(request.params['check_suite_id']));
  if (suite === undefined) throw notFound();
  return suite;
}

function assertShort(object: Readonly<Record<string, unknown>>, fields: readonly (keyof typeof MAX)[]): void {
  for (const field of fields) {
    const value = object[field];
    if (typeof value === 'string' && value.length > MAX[field]) {
      throw unprocessable({
        resource: 'CheckRun',
        field,
        code: 'custom',
        message: `${field} exceeds a maximum of ${MAX[field]} characters`,
      });
    }
  }
}

function outputOf(request: RouteRequest): CheckRunChange['output'] {
  const { output } = request.body;
  if (typeof output !== 'object' || output === null) return undefined;
  const fields = output as Record<string, unknown>;
  assertShort(fields, ['summary', 'text', 'title']);
  const pick = (key: string) => (typeof fields[key] === 'string' ? { [key]: fields[key] } : {});
  return { ...pick('title'), ...pick('summary'), ...pick('text') };
}

function actionsOf(request: RouteRequest): CheckRun['actions'] | undefined {
  const { actions } = request.body;
  if (!Array.isArray(actions)) return undefined;
  if (actions.length > 3)
    throw unprocessable({
      resource: 'CheckRun',
      field: 'actions',
      code: 'custom',
      message: 'actions exceeds a maximum of 3',
    });
  for (const action of actions) assertShort(action as Record<string, unknown>, ['label', 'description', 'identifier']);
  return actions as CheckRun['actions'];
}

function dateOf(request: RouteRequest, key: string): Date | undefined {
  const value = text(request, key);
  return value === undefined ? undefined : new Date(value);
}

function changeOf(request: RouteRequest): CheckRunChange {
  const status = text(request, 'status') as CheckRun['status'] | undefined;
  const conclusion = text(request, 'conclusion');
  if (status === 'completed' && conclusion === undefined) {
    throw unprocessable({ resource: 'CheckRun', field: 'conclusion', code: 'missing_field' });
  }
  return {
    name: text(request, 'name'),
    externalId: text(request, 'external_id'),
    detailsUrl: text(request, 'details_url'),
    status,
    conclusion,
    startedAt: dateOf(request, 'started_at'),
    completedAt: dateOf(request, 'completed_at'),
    output: outputOf(request),
    actions: actionsOf(request),
  };
}

async function commitIdOf(request: RouteRequest): Promise<string> {
  const sha = await resolveCommit(repositoryOf(request).gitDirectory, request.params['ref'] ?? '');
  if (sha === undefined) throw new ApiError(422, `No commit found for SHA: ${request.params['ref']}`);
  return sha;
}

function filterRuns(request: RouteRequest, runs: readonly CheckRun[]): CheckRun[] {
  const { check_name: name, status, app_id: app, filter = 'latest' } = request.query;
  const kept = runs.filter(
    (run) =>
      (name === undefined || run.name === name) &&
      (status === undefined || run.status === status) &&
      (app === undefined || String(run.app.id) === app),
  );
  if (filter === 'all') return kept.toReversed();
  return kept
    .filter((run, at) => !kept.slice(at + 1).some((later) => later.name === run.name && later.app === run.app))
    .toReversed();
}

function runList(request: RouteRequest, runs: readonly CheckRun[]) {
  const repository = repositoryOf(request);
  return {
    list: filterRuns(request, runs),
    show: (run: CheckRun) => checkRunView(request.hub.urls, repository, run),
    wrap: (page: unknown[], total: number) => ({ total_count: total, check_runs: page }),
  };
}

async function suiteBody(request: RouteRequest, suite: CheckSuite) {
  const repository = repositoryOf(request);
  const [head] = await listCommits(repository.gitDirectory, suite.headSha, 1);
  if (head === undefined) throw notFound();
  const { urls } = request.hub;
  return { ...suiteView(urls, repository, suite, head), repository: minimalRepository(urls, repository) };
}

export const CHECK_ROUTES: readonly Route[] = [
  {
    operation: 'checks/create',
    needs: WRITE,
    appOnly: true,
    createsContent: true,
    handle: async (request) => {
      const repository = repositoryOf(request);
      const sha = text(request, 'head_sha') ?? '';
      if ((await resolveCommit(repository.gitDirectory, sha)) !== sha)
        throw new ApiError(422, `No commit found for SHA: ${sha}`);
      const run = addCheckRun(
        request.hub,
        repository,
        appOf(request.caller),
        sha,
        text(request, 'name') ?? '',
        changeOf(request),
      );
      return { status: 201, body: checkRunView(request.hub.urls, repository, run) };
    },
  },
  {
    operation: 'checks/get',
    needs: READ,
    handle: (request) => ({ body: checkRunView(request.hub.urls, repositoryOf(request), runOf(request)) }),
  },
  {
    operation: 'checks/update',
    needs: WRITE,
    appOnly: true,
    handle: (request) => {
      const run = runOf(request);
      if (run.app !== appOf(request.caller))
        throw new ApiError(
          403,
          `Invalid app_id \`${run.app.id}\` - check run can only be modified by the GitHub App that created it.`,
        );
      changeCheckRun(run, changeOf(request));
      return { body: checkRunView(request.hub.urls, repositoryOf(request), run) };
    },
  },
  {
    operation: 'checks/list-for-ref',
    needs: READ,
    handle: async (request) => {
      const sha = await commitIdOf(request);
      return runList(
        request,
        repositoryOf(request).checkRuns.filter((run) => run.headSha === sha),
      );
    },
  },
  {
    operation: 'checks/list-for-suite',
    needs: READ,
    handle: (request) => {
      const suite = suiteOf(request);
      return runList(
        request,
        repositoryOf(request).checkRuns.filter((run) => run.suite === suite),
      );
    },
  },
  {
    operation: 'checks/get-suite',
    needs: READ,
    handle: async (request) => ({ body: await suiteBody(request, suiteOf(request)) }),
  },
  {
    operation: 'checks/list-suites-for-ref',
    needs: READ,
    handle: async (request) => {
      const sha = await commitIdOf(request);
      const { app_id: app } = request.query;
      const suites = repositoryOf(request).suites.filter(
        (suite) => suite.headSha === sha && (app === undefined || String(suite.app.id) === app),
      );
      const list = await Promise.all(suites.map((suite) => suiteBody(request, suite)));
      return { list, wrap: (page, total) => ({ total_count: total, check_suites: page }) };
    },
  },
];
