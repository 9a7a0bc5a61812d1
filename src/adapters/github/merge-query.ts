import { GraphqlResponseError } from '@octokit/graphql';
import type { PullRequest } from '../../core/pull-request.ts';
import type { Client } from './api-context.ts';
import type { MergeFacts, Protection, ReportedCheck } from './merge-facts.ts';

/** One request for everything that decides about a merge; `$after` pages through the checks. */
export const MERGE_QUERY = `query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      state
      isDraft
      mergeable
      mergeStateStatus
      reviewDecision
      headRefOid
      latestOpinionatedReviews(first: 100, writersOnly: true) { nodes { state } }
      reviewThreads(first: 100) { totalCount nodes { isResolved } }
      baseRef {
        branchProtectionRule {
          requiresStatusChecks
          requiresStrictStatusChecks
          requiredStatusChecks { context app { databaseId } }
          requiresConversationResolution
          requiresCommitSignatures
          requiresDeployments
          requiredDeploymentEnvironments
          lockBranch
        }
      }
      commits(last: 1) {
        nodes {
          commit {
            statusCheckRollup {
              contexts(first: 100, after: $after) {
                pageInfo { hasNextPage endCursor }
                nodes {
                  __typename
                  ... on CheckRun {
                    name
                    conclusion
                    databaseId
                    checkSuite { app { databaseId } workflowRun { file { path } } }
                  }
                  ... on StatusContext { context state }
                }
              }
            }
          }
        }
      }
    }
  }
}`;

interface CheckRunNode {
  readonly __typename: 'CheckRun';
  readonly name: string;
  readonly conclusion: string | null;
  readonly databaseId: number | null;
  readonly checkSuite: {
    readonly app: { readonly databaseId: number | null } | null;
    readonly workflowRun: { readonly file: { readonly path: string } | null } | null;
  } | null;
}

interface StatusNode {
  readonly __typename: 'StatusContext';
  readonly context: string;
  readonly state: string;
}

interface Contexts {
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  readonly nodes: readonly (CheckRunNode | StatusNode | null)[];
}

interface ProtectionNode {
  readonly requiresStatusChecks: boolean;
  readonly requiresStrictStatusChecks: boolean;
  readonly requiredStatusChecks:
    | readonly { readonly context: string; readonly app: { readonly databaseId: number | null } | null }[]
    | null;
  readonly requiresConversationResolution: boolean;
  readonly requiresCommitSignatures: boolean;
  readonly requiresDeployments: boolean;
  readonly requiredDeploymentEnvironments: readonly (string | null)[] | null;
  readonly lockBranch: boolean;
}

interface PullNode {
  readonly state: MergeFacts['state'];
  readonly isDraft: boolean;
  readonly mergeable: MergeFacts['mergeable'];
  readonly mergeStateStatus: string;
  readonly reviewDecision: MergeFacts['reviewDecision'];
  readonly headRefOid: string;
  readonly latestOpinionatedReviews: { readonly nodes: readonly ({ readonly state: string } | null)[] } | null;
  readonly reviewThreads: {
    readonly totalCount: number;
    readonly nodes: readonly ({ readonly isResolved: boolean } | null)[];
  };
  readonly baseRef: { readonly branchProtectionRule: ProtectionNode | null } | null;
  readonly commits: {
    readonly nodes: readonly ({
      readonly commit: { readonly statusCheckRollup: { readonly contexts: Contexts } | null };
    } | null)[];
  };
}

interface Answer {
  readonly repository: { readonly pullRequest: PullNode | null } | null;
}

const PASSED: ReadonlySet<string | null> = new Set(['SUCCESS', 'SKIPPED', 'NEUTRAL']);
/** 1,000 checks; a commit with more is not believed to be green. */
const MOST_PAGES = 10;

function toCheck(node: CheckRunNode | StatusNode): ReportedCheck {
  if (node.__typename === 'StatusContext') {
    const passed = node.state === 'SUCCESS';
    return { kind: 'status', name: node.context, passed, appId: undefined, order: 0, workflowPath: undefined };
  }
  const appId = node.checkSuite?.app?.databaseId;
  return {
    kind: 'check_run',
    name: node.name,
    passed: PASSED.has(node.conclusion),
    appId: appId === null || appId === undefined ? undefined : String(appId),
    order: node.databaseId ?? 0,
    workflowPath: node.checkSuite?.workflowRun?.file?.path,
  };
}

function toProtection(node: ProtectionNode): Protection {
  const checks = node.requiresStatusChecks ? (node.requiredStatusChecks ?? []) : [];
  const environments = node.requiresDeployments ? (node.requiredDeploymentEnvironments ?? []) : [];
  return {
    checks: checks.map(({ context, app }) => ({
      name: context,
      appId: app?.databaseId ? String(app.databaseId) : undefined,
    })),
    upToDate: node.requiresStatusChecks && node.requiresStrictStatusChecks,
    threadsResolved: node.requiresConversationResolution,
    signatures: node.requiresCommitSignatures,
    deployments: environments.filter((name) => name !== null),
    locked: node.lockBranch,
  };
}

function contextsOf(pull: PullNode): Contexts | undefined {
  return pull.commits.nodes[0]?.commit.statusCheckRollup?.contexts;
}

/** Unresolved ones among the first hundred; the rest, if any, count as unresolved. */
function unresolved(threads: PullNode['reviewThreads']): number {
  const resolved = threads.nodes.filter((thread) => thread?.isResolved === true).length;
  return threads.totalCount - resolved;
}

function toFacts(pull: PullNode, checks: readonly ReportedCheck[]): MergeFacts {
  const rule = pull.baseRef?.branchProtectionRule ?? null;
  const reviews = pull.latestOpinionatedReviews?.nodes ?? [];
  return {
    state: pull.state,
    isDraft: pull.isDraft,
    mergeable: pull.mergeable,
    mergeStateStatus: pull.mergeStateStatus,
    reviewDecision: pull.reviewDecision,
    headSha: pull.headRefOid,
    approvals: reviews.filter((review) => review?.state === 'APPROVED').length,
    unresolvedThreads: unresolved(pull.reviewThreads),
    checks,
    protection: rule ? toProtection(rule) : null,
  };
}

/** An App without `administration: read` is refused the protection only; the rest of the answer is good. */
async function ask(client: Client, pull: PullRequest, after: string | null): Promise<PullNode | null> {
  const { owner, name } = pull.repository;
  try {
    const answer = await client.octokit.graphql<Answer>(MERGE_QUERY, { owner, name, number: pull.number, after });
    return answer.repository?.pullRequest ?? null;
  } catch (error) {
    if (!(error instanceof GraphqlResponseError)) throw error;
    const onlyProtection = (error.errors ?? []).every(
      (each) => each.type === 'FORBIDDEN' && each.path.includes('branchProtectionRule'),
    );
    const partial = error.data as Answer | null | undefined;
    if (onlyProtection && partial?.repository?.pullRequest) return partial.repository.pullRequest;
    throw error;
  }
}

/** undefined when the pull request is not there any more. */
export async function readMergeFacts(client: Client, pull: PullRequest): Promise<MergeFacts | undefined> {
  const first = await ask(client, pull, null);
  if (!first) return undefined;
  const checks: ReportedCheck[] = [];
  let page = contextsOf(first);
  for (let pages = 1; page; pages += 1) {
    checks.push(...page.nodes.flatMap((node) => (node ? [toCheck(node)] : [])));
    if (!page.pageInfo.hasNextPage) break;
    if (pages === MOST_PAGES) throw new RangeError(`the head commit has more than ${MOST_PAGES * 100} checks`);
    const next = await ask(client, pull, page.pageInfo.endCursor);
    page = next ? contextsOf(next) : undefined;
  }
  return toFacts(first, checks);
}
