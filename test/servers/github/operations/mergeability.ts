import type { Hub } from '../hub.ts';
import type { CheckRun, PullRequest, RequiredCheck, Review } from '../state/model.ts';
import { commitTree, diffFiles, git, isAncestor, mergeTree, setRef } from '../state/git-store.ts';
import { atLeast, roleOf } from '../state/permissions.ts';
import { latestStatuses } from '../views/commits.ts';
import type { PullFigures } from '../views/pulls.ts';

const PASSING = ['success', 'skipped', 'neutral'];
const WEB_FLOW = { name: 'GitHub', email: 'noreply@github.com' };

export async function pullFigures(pull: PullRequest): Promise<Omit<PullFigures, 'mergeable' | 'mergeableState'>> {
  const directory = pull.repository.gitDirectory;
  const base = pull.merged === undefined ? pull.baseSha : `${pull.merged.sha}^1`;
  const files = await diffFiles(directory, base, pull.headSha);
  const commits = Number(await git(directory, ['rev-list', '--count', `${base}..${pull.headSha}`]));
  const sum = (pick: (file: (typeof files)[number]) => number) => files.reduce((total, file) => total + pick(file), 0);
  return {
    commits,
    additions: sum((file) => file.additions),
    deletions: sum((file) => file.deletions),
    changedFiles: files.length,
  };
}

/**
 * The answer to "would it merge". As on GitHub the first question after a change of either side is answered with "unknown"
 * and starts the work; a later one gets the result. The test merge commit is `refs/pull/N/merge`.
 */
export async function askMergeable(hub: Hub, pull: PullRequest): Promise<boolean | null> {
  if (pull.issue.state !== 'open') return null;
  const known = pull.mergeCheck;
  if (known === undefined || known.headSha !== pull.headSha || known.baseSha !== pull.baseSha) {
    const { headSha, baseSha } = pull;
    pull.mergeCheck = { headSha, baseSha, result: undefined, remaining: hub.mergeableDelay };
  }
  const check = pull.mergeCheck;
  if (check === undefined) return null;
  if (check.remaining > 0) {
    check.remaining -= 1;
    return null;
  }
  check.result ??= await testMerge(pull);
  return check.result.mergeable;
}

export async function testMerge(pull: PullRequest): Promise<{ mergeable: boolean; sha: string | undefined }> {
  const { repository, baseSha, headSha } = pull;
  const tree = await mergeTree(repository.gitDirectory, baseSha, headSha);
  if (tree === undefined) return { mergeable: false, sha: undefined };
  const message = `Merge ${headSha} into ${baseSha}`;
  const sha = await commitTree(repository.gitDirectory, {
    tree,
    parents: [baseSha, headSha],
    message,
    author: WEB_FLOW,
  });
  await setRef(repository.gitDirectory, `refs/pull/${pull.issue.number}/merge`, sha);
  return { mergeable: true, sha };
}

export type MergeState = 'clean' | 'dirty' | 'blocked' | 'behind' | 'unstable' | 'draft' | 'unknown';

export async function mergeState(pull: PullRequest, mergeable: boolean | null): Promise<MergeState> {
  if (pull.issue.state !== 'open' || mergeable === null) return 'unknown';
  if (!mergeable) return 'dirty';
  if (pull.draft) return 'draft';
  if (unmetRequirements(pull).length > 0) return 'blocked';
  if (requiresUpToDate(pull) && !(await isAncestor(pull.repository.gitDirectory, pull.baseSha, pull.headSha)))
    return 'behind';
  return hasFailingChecks(pull) ? 'unstable' : 'clean';
}

function parametersOf(pull: PullRequest, type: string) {
  return pull.repository.rules
    .filter((rule) => rule.branch === pull.baseRef && rule.type === type)
    .map((rule) => rule.parameters ?? {});
}

function requiresUpToDate(pull: PullRequest): boolean {
  if (pull.repository.protections.get(pull.baseRef)?.strict === true) return true;
  return parametersOf(pull, 'required_status_checks').some(
    (one) => one['strict_required_status_checks_policy'] === true,
  );
}

function ruleChecks(pull: PullRequest): RequiredCheck[] {
  return parametersOf(pull, 'required_status_checks').flatMap((one) => {
    const checks = one['required_status_checks'];
    if (!Array.isArray(checks)) return [];
    return checks.map((check: { context: string; integration_id?: number }) => ({
      context: check.context,
      appId: check.integration_id ?? null,
    }));
  });
}

function newestRun(pull: PullRequest, check: RequiredCheck): CheckRun | undefined {
  const { checkRuns } = pull.repository;
  return checkRuns.findLast(
    (run) =>
      run.headSha === pull.headSha &&
      run.name === check.context &&
      (check.appId === null || run.app.id === check.appId),
  );
}

function passes(pull: PullRequest, check: RequiredCheck): boolean {
  const status = latestStatuses(pull.repository, pull.headSha).find(
    (one) => one.context.toLowerCase() === check.context.toLowerCase(),
  );
  const run = newestRun(pull, check);
  if (status === undefined && run === undefined) return false;
  if (status !== undefined && status.state !== 'success') return false;
  return run === undefined || (run.status === 'completed' && PASSING.includes(run.conclusion ?? ''));
}

function hasFailingChecks(pull: PullRequest): boolean {
  const { repository, headSha } = pull;
  if (latestStatuses(repository, headSha).some((status) => status.state !== 'success')) return true;
  return repository.checkRuns.some((run) => run.headSha === headSha && !PASSING.includes(run.conclusion ?? ''));
}

/** The latest review of each person that says yes or no, or was dismissed; comments do not change it. */
export function latestOpinions(pull: PullRequest): Review[] {
  const latest = new Map<number, Review>();
  for (const review of pull.reviews)
    if (!['COMMENTED', 'PENDING'].includes(review.state)) latest.set(review.author.id, review);
  return [...latest.values()];
}

/** How many approvals protection and rules ask for; undefined when none asks. */
export function requiredApprovals(pull: PullRequest): number | undefined {
  const wanted = parametersOf(pull, 'pull_request').map((one) => Number(one['required_approving_review_count'] ?? 0));
  const classic = pull.repository.protections.get(pull.baseRef)?.requiredApprovals;
  if (classic !== undefined) wanted.push(classic);
  return wanted.length === 0 ? undefined : Math.max(...wanted);
}

export function reviewDecision(pull: PullRequest): 'APPROVED' | 'CHANGES_REQUESTED' | 'REVIEW_REQUIRED' | null {
  const wanted = requiredApprovals(pull);
  if (wanted === undefined) return null;
  const counted = latestOpinions(pull).filter((one) => atLeast(roleOf(pull.repository, one.author), 'write'));
  if (counted.some((one) => one.state === 'CHANGES_REQUESTED')) return 'CHANGES_REQUESTED';
  return counted.filter((one) => one.state === 'APPROVED').length >= wanted ? 'APPROVED' : 'REVIEW_REQUIRED';
}

/** What a person would be told next to the grey merge button. */
export function unmetRequirements(pull: PullRequest): string[] {
  const protection = pull.repository.protections.get(pull.baseRef);
  const checks = [...(protection?.requiredChecks ?? []), ...ruleChecks(pull)];
  const unmet = checks
    .filter((check) => !passes(pull, check))
    .map((check) => `Required status check "${check.context}" is expected.`);
  const decision = reviewDecision(pull);
  if (decision === 'CHANGES_REQUESTED') unmet.push('Changes must be addressed.');
  if (decision === 'REVIEW_REQUIRED')
    unmet.push(`At least ${requiredApprovals(pull)} approving review is required by reviewers with write access.`);
  return unmet;
}
