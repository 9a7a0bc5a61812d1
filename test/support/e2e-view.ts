import type { GithubServer } from '../servers/github/github-server.ts';
import type { IssueComment, PullRequest, Repository } from '../servers/github/state/model.ts';
import type { TestDatabase } from './postgres.ts';

/** Keeps what people quote from becoming a mention or a link; in the way of comparing texts. */
const ZERO_WIDTH_SPACE = '\u200b';

export interface LockView {
  readonly dir: string;
  readonly workspace: string;
  readonly name: string | null;
  /** Number of the pull request. */
  readonly pull: number;
}

/** What people see of Holdfast on a pull request, and who holds which lock. */
export interface E2eView {
  /** Everything Holdfast wrote there, oldest first. */
  comments(pull: PullRequest): readonly IssueComment[];
  /** The one comment with the plans; throws when there is none, or more than one. */
  planComment(pull: PullRequest): string;
  /** Answers and notices, oldest first. */
  replies(pull: PullRequest): readonly string[];
  lastReply(pull: PullRequest): string;
  /** `CONTEXT: STATE DESCRIPTION`, the newest of each context on this commit; the head when none is named. */
  statuses(pull: PullRequest, sha?: string): readonly string[];
  status(pull: PullRequest, context: string): string | undefined;
  reactions(comment: IssueComment): readonly string[];
  locks(repository: Repository): Promise<readonly LockView[]>;
  /** `OPERATION DIR STATE` of each run, oldest first. */
  runs(pull: PullRequest): Promise<readonly string[]>;
  /** Terraform is applying there now; for `until`. */
  applying(pull: PullRequest): Promise<true | undefined>;
}

export function createView(github: GithubServer, { db }: TestDatabase, bot: string): E2eView {
  const comments = (pull: PullRequest): readonly IssueComment[] =>
    github.comments(pull).filter((comment) => comment.author.login === bot);
  const isPlan = (comment: IssueComment): boolean => comment.body.startsWith('<!-- holdfast:plan:');
  const replies = (pull: PullRequest): readonly string[] =>
    comments(pull)
      .filter((comment) => !isPlan(comment))
      .map((comment) => comment.body.replaceAll(ZERO_WIDTH_SPACE, ''));
  const readRuns = (pull: PullRequest) =>
    db
      .selectFrom('runs')
      .select(['operation', 'project', 'state', 'apply_started_at'])
      .where('pull_request_id', '=', `127.0.0.1/${pull.repository.id}/${pull.issue.number}`)
      .orderBy('queued_at')
      .orderBy('project_key')
      .execute();
  const newest = (pull: PullRequest, sha: string): ReadonlyMap<string, string> =>
    new Map(
      pull.repository.statuses
        .filter((status) => status.sha === sha)
        .map((one) => [one.context, `${one.state} ${one.description ?? ''}`.trimEnd()]),
    );
  return {
    comments,
    planComment: (pull) => {
      const [first, ...others] = comments(pull).filter(isPlan);
      if (first === undefined || others.length > 0) throw new Error(`there are ${first ? others.length + 1 : 0}`);
      return first.body;
    },
    replies,
    lastReply: (pull) => replies(pull).at(-1) ?? '',
    statuses: (pull, sha = pull.headSha) =>
      [...newest(pull, sha)].map(([context, text]) => `${context}: ${text}`).toSorted(),
    status: (pull, context) => newest(pull, pull.headSha).get(context),
    reactions: (comment) =>
      comment.reactions.filter((reaction) => reaction.author.login === bot).map((reaction) => reaction.content),
    locks: async (repository) =>
      db
        .selectFrom('project_locks')
        .innerJoin('pull_requests', 'pull_requests.id', 'project_locks.pull_request_id')
        .where('project_locks.repository_id', '=', `127.0.0.1/${repository.id}`)
        .select(['dir', 'workspace', 'name', 'pull_requests.number as pull'])
        .orderBy('dir')
        .orderBy('workspace')
        .execute(),
    runs: async (pull) => (await readRuns(pull)).map((row) => `${row.operation} ${row.project.dir} ${row.state}`),
    applying: async (pull) =>
      (await readRuns(pull)).some((row) => row.state === 'running' && row.apply_started_at !== null) || undefined,
  };
}
