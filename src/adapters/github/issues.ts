import { RequestError } from '@octokit/request-error';
import { HostRefusedError } from '../../core/host-error.ts';
import { fullName, type RepositoryRef } from '../../core/repository.ts';
import type { IssueReply, WriteOptions } from '../../ports/vcs-host.ts';
import type {
  IssueAway,
  IssueChange,
  IssueCreation,
  IssueFacts,
  IssueLookup,
  IssueUpdate,
  NewIssue,
} from '../../ports/vcs-issue.ts';
import { assignWhoCanBe } from './assign-who-can-be.ts';
import { COMMENT_LENGTH, type GithubComment, refuseTooLong, toPostedComment } from './comments.ts';
import type { HostParts } from './host-parts.ts';
import { isStatus } from './repositories.ts';
import { orHostError, toHostError } from './to-host-error.ts';

/** GitHub's errors name the first and the third; the body is as long as a comment. More than ten people are not taken. */
export const ISSUE_LIMITS = {
  issueTitleLength: 256,
  issueBodyLength: COMMENT_LENGTH,
  labelLength: 50,
  issueAssignees: 10,
} as const;

interface GithubIssue {
  readonly number: number;
  readonly html_url: string;
  readonly state: string;
  readonly closed_at?: string | null;
  readonly locked?: boolean;
  readonly body?: string | null;
  readonly labels: readonly (string | { readonly name?: string | null })[];
  readonly assignees?: readonly { readonly login: string }[] | null;
  readonly user: { readonly id: number; readonly type?: string } | null;
  readonly performed_via_github_app?: { readonly id: number } | null;
  readonly pull_request?: unknown;
}

interface ApiAnswer {
  readonly status: number;
  readonly headers: { readonly location?: string };
  readonly data: unknown;
}

/** What one call about an issue came to, before it is given the words of its method. */
type Outcome = { readonly kind: 'done'; readonly data: unknown } | IssueAway;

const CLOCKS_DIFFER_MS = 5 * 60_000;
const PER_PAGE = 100;

function toFacts(data: GithubIssue): IssueFacts {
  return {
    number: data.number,
    url: data.html_url,
    state: data.state === 'open' ? 'open' : 'closed',
    closedAt: data.closed_at ? new Date(data.closed_at) : undefined,
    locked: data.locked === true,
    labels: data.labels.flatMap((label) => (typeof label === 'string' ? label : (label.name ?? []))),
    assignees: (data.assignees ?? []).map(({ login }) => login),
  };
}

/** `/repositories/7/issues/3`, also with the prefix of an Enterprise Server. */
function movedTo(location: string | undefined): IssueAway {
  const [, repositoryId, number] = /\/repositories\/(\d+)\/issues\/(\d+)$/.exec(location ?? '') ?? [];
  const to = repositoryId && number ? { repositoryId, number: Number(number) } : undefined;
  return { kind: 'moved', to };
}

/** 410 is an issue that was deleted, or any issue of a repository that has them switched off; only the words tell. */
function away(error: unknown): IssueAway | undefined {
  if (isStatus(error, 404)) return { kind: 'gone' };
  if (!isStatus(error, 410)) return undefined;
  return { kind: error instanceof Error && /disabled/i.test(error.message) ? 'disabled' : 'gone' };
}

function notTaken(wanted: readonly string[] | undefined, data: unknown): readonly string[] {
  const taken = toFacts(data as GithubIssue).assignees.map((login) => login.toLowerCase());
  return (wanted ?? []).filter((login) => !taken.includes(login.toLowerCase()));
}

/** Of a change, the fields as the API names them. */
function toFields({ title, body, labels, state }: IssueChange) {
  const states = state && { state: state === 'open' ? 'open' : 'closed' };
  return {
    ...(title === undefined ? {} : { title }),
    ...(body === undefined ? {} : { body }),
    ...(labels === undefined ? {} : { labels }),
    ...states,
    ...(state === undefined || state === 'open' ? {} : { state_reason: state }),
  };
}

function refuseSizes({ title = '', body = '', labels = [] }: IssueChange): void {
  refuseTooLong(title, "issue's title", ISSUE_LIMITS.issueTitleLength);
  refuseTooLong(body, 'issue', ISSUE_LIMITS.issueBodyLength);
  for (const label of labels) refuseTooLong(label, `label "${label.slice(0, 20)}..."`, ISSUE_LIMITS.labelLength);
}

/**
 * Issues are asked for by the id of their repository, in the form that GitHub itself redirects renamed repositories to:
 * a redirect then only ever means that the issue was transferred. It is told and not followed, for it leads to another
 * repository, whose readers may be others. The token is good for issues of this one repository and nothing else.
 */
export function createIssues(parts: HostParts) {
  const { credentials, clock } = parts;

  const request = { redirect: 'manual' as const };
  const clientOf = (ref: RepositoryRef) => credentials.forRepository(ref, 'report');
  const taking = (options: WriteOptions | undefined): WriteOptions => ({ priority: 'report', ...options });

  async function settle(call: () => Promise<unknown>): Promise<Outcome> {
    try {
      const { status, headers, data } = (await call()) as ApiAnswer;
      return status >= 300 ? movedTo(headers.location) : { kind: 'done', data };
    } catch (error) {
      const found = away(error);
      if (found) return found;
      throw error;
    }
  }

  async function createIssue(ref: RepositoryRef, issue: NewIssue, options?: WriteOptions): Promise<IssueCreation> {
    refuseSizes(issue);
    return orHostError(clock, `open an issue in ${fullName(ref)}`, async () => {
      const { octokit, budget } = await clientOf(ref);
      const send = async (assignees: readonly string[] = []) => {
        await budget.take(taking(options));
        return octokit.request('POST /repositories/{id}/issues', {
          id: ref.id,
          ...toFields(issue),
          assignees,
          request,
        });
      };
      try {
        const { data }: { data: GithubIssue } = await assignWhoCanBe(issue.assignees, send);
        return {
          kind: 'created',
          number: data.number,
          url: data.html_url,
          unassigned: notTaken(issue.assignees, data),
        };
      } catch (error) {
        if (isStatus(error, 410)) return { kind: 'disabled' };
        throw error;
      }
    });
  }

  async function getIssue(ref: RepositoryRef, number: number): Promise<IssueLookup> {
    return orHostError(clock, `read the issue ${fullName(ref)}#${number}`, async () => {
      const { octokit } = await clientOf(ref);
      const outcome = await settle(() =>
        octokit.request('GET /repositories/{id}/issues/{number}', { id: ref.id, number, request }),
      );
      if (outcome.kind !== 'done') return outcome;
      return { kind: 'found', issue: toFacts(outcome.data as GithubIssue) };
    });
  }

  async function updateIssue(
    ref: RepositoryRef,
    number: number,
    change: IssueChange,
    options?: WriteOptions,
  ): Promise<IssueUpdate> {
    refuseSizes(change);
    return orHostError(clock, `edit the issue ${fullName(ref)}#${number}`, async () => {
      const { octokit, budget } = await clientOf(ref);
      const send = async (assignees: readonly string[] | undefined) => {
        await budget.take(taking(options));
        return octokit.request('PATCH /repositories/{id}/issues/{number}', {
          id: ref.id,
          number,
          ...toFields(change),
          ...(assignees === undefined ? {} : { assignees }),
          request,
        });
      };
      const outcome = await settle(() => assignWhoCanBe(change.assignees, send));
      if (outcome.kind !== 'done') return outcome;
      return { kind: 'updated', unassigned: notTaken(change.assignees, outcome.data) };
    });
  }

  /** Not asked for by creator, which is reported to find no App's issues on some Enterprise hosts (renovatebot/renovate#44730). */
  async function findOwnIssue(ref: RepositoryRef, marker: string, since: Date): Promise<IssueFacts | undefined> {
    return orHostError(clock, `look for our issue in ${fullName(ref)}`, async () => {
      const { octokit } = await clientOf(ref);
      const pages = octokit.paginate.iterator('GET /repositories/{id}/issues', {
        id: ref.id,
        state: 'all',
        since: new Date(since.getTime() - CLOCKS_DIFFER_MS).toISOString(),
        per_page: PER_PAGE,
      });
      for await (const { data } of pages) {
        for (const issue of data as readonly GithubIssue[]) {
          if (await isOurs(issue, marker)) return toFacts(issue);
        }
      }
      return undefined;
    });
  }

  async function isOurs(issue: GithubIssue, marker: string): Promise<boolean> {
    if (issue.pull_request || !issue.body?.startsWith(marker)) return false;
    return credentials.isOwn({
      userId: issue.user ? String(issue.user.id) : undefined,
      userType: issue.user?.type,
      appId: issue.performed_via_github_app ? String(issue.performed_via_github_app.id) : undefined,
    });
  }

  /**
   * What is refused is looked into: GitHub answers a comment on a transferred issue 404, and 403 for a locked
   * conversation as well as for a missing permission.
   */
  async function createIssueComment(
    ref: RepositoryRef,
    number: number,
    body: string,
    options?: WriteOptions,
  ): Promise<IssueReply> {
    refuseTooLong(body);
    const what = `comment on the issue ${fullName(ref)}#${number}`;
    try {
      const { octokit, budget } = await clientOf(ref);
      await budget.take(options);
      const path = 'POST /repositories/{id}/issues/{number}/comments';
      const { data }: { data: GithubComment } = await octokit.request(path, { id: ref.id, number, body });
      return { kind: 'posted', comment: toPostedComment(data) };
    } catch (error) {
      const told = toHostError(clock, what, error);
      if (!(told instanceof HostRefusedError) || !(error instanceof RequestError)) throw told;
      const now = await getIssue(ref, number);
      if (now.kind !== 'found') return now;
      if (now.issue.locked && told.status === 403) return { kind: 'locked' };
      throw told;
    }
  }

  return { createIssue, getIssue, updateIssue, findOwnIssue, createIssueComment };
}
