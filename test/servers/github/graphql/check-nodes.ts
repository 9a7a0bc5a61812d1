import type { App, BranchProtection, CheckRun, CommitStatus, PullRequest } from '../state/model.ts';
import type { Commit } from '../state/git-store.ts';
import { combinedState, latestStatuses } from '../views/commits.ts';
import { when } from '../views/urls.ts';
import { connection } from './connection.ts';
import type { Nodes } from './nodes.ts';

/** A commit with what was reported on it. */
export function commitNode(nodes: Nodes, pull: PullRequest, commit: Commit) {
  const { sha, message, date } = commit;
  const { repository } = pull;
  const statuses = latestStatuses(repository, sha);
  const runs = repository.checkRuns.filter((run) => run.headSha === sha);
  const nothing = statuses.length === 0 && runs.length === 0;
  const contexts = [
    ...statuses.map((status) => statusContext(nodes, pull, status)),
    ...runs.map((run) => checkRun(pull, run)),
  ];
  return {
    __typename: 'Commit',
    id: `C_${sha}`,
    oid: sha,
    message,
    messageHeadline: message.split('\n')[0] ?? '',
    committedDate: date,
    statusCheckRollup: nothing
      ? null
      : {
          __typename: 'StatusCheckRollup',
          id: `SCR_${sha}`,
          state: rollupState(statuses, runs),
          contexts: connection('contexts', contexts, (context) => context),
        },
  };
}

function statusContext(nodes: Nodes, pull: PullRequest, status: CommitStatus) {
  return {
    __typename: 'StatusContext',
    id: status.nodeId,
    context: status.context,
    state: status.state.toUpperCase(),
    description: status.description,
    targetUrl: status.targetUrl,
    createdAt: when(status.createdAt),
    creator: () => nodes.account(status.creator),
    isRequired: () => isRequired(pull, status.context),
  };
}

function checkRun(pull: PullRequest, run: CheckRun) {
  return {
    __typename: 'CheckRun',
    id: run.nodeId,
    databaseId: run.id,
    name: run.name,
    status: run.status.toUpperCase(),
    conclusion: run.conclusion?.toUpperCase() ?? null,
    startedAt: when(run.startedAt),
    completedAt: run.completedAt === undefined ? null : when(run.completedAt),
    detailsUrl: run.detailsUrl,
    externalId: run.externalId,
    title: run.output.title,
    summary: run.output.summary,
    isRequired: () => isRequired(pull, run.name),
    checkSuite: {
      __typename: 'CheckSuite',
      id: run.suite.nodeId,
      databaseId: run.suite.id,
      app: () => appNode(run.app),
      workflowRun: null,
    },
  };
}

/** The classic protection of a branch; `apps` are all there are, to name the one a check is pinned to. */
export function protectionNode(branch: string, rule: BranchProtection, apps: readonly App[]) {
  const appOf = (id: number | null) => apps.find((app) => app.id === id);
  return {
    __typename: 'BranchProtectionRule',
    id: `BPR_${branch}`,
    pattern: branch,
    requiresStatusChecks: rule.requiredChecks.length > 0,
    requiresStrictStatusChecks: rule.strict,
    requiredStatusCheckContexts: rule.requiredChecks.map((check) => check.context),
    requiredStatusChecks: rule.requiredChecks.map(({ context, appId }) => {
      const app = appOf(appId);
      return { context, app: app === undefined ? null : appNode(app) };
    }),
    requiresApprovingReviews: rule.requiredApprovals !== undefined,
    requiredApprovingReviewCount: rule.requiredApprovals ?? null,
    dismissesStaleReviews: rule.dismissStaleReviews,
    requiresCodeOwnerReviews: false,
    requiresConversationResolution: false,
    requireLastPushApproval: false,
    requiresCommitSignatures: false,
    requiresLinearHistory: false,
    requiresDeployments: false,
    requiredDeploymentEnvironments: [],
    restrictsPushes: false,
    lockBranch: false,
    isAdminEnforced: true,
  };
}

function appNode(app: App) {
  return { __typename: 'App', id: app.nodeId, databaseId: app.id, slug: app.slug, name: app.name };
}

function rollupState(statuses: readonly CommitStatus[], runs: readonly CheckRun[]): string {
  const combined = statuses.length === 0 ? 'success' : combinedState(statuses);
  const failed = runs.some(
    (run) => run.status === 'completed' && !['success', 'neutral', 'skipped'].includes(run.conclusion ?? ''),
  );
  if (combined === 'failure' || failed) return 'FAILURE';
  return combined === 'pending' || runs.some((run) => run.status !== 'completed') ? 'PENDING' : 'SUCCESS';
}

function isRequired(pull: PullRequest, context: string): boolean {
  return (
    pull.repository.protections.get(pull.baseRef)?.requiredChecks.some((check) => check.context === context) ?? false
  );
}
