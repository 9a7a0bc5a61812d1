import type { DriftReply } from '../../src/core/drift/drift-reply.ts';
import type { Account } from '../../src/core/pull-request.ts';
import type { NewReaction } from '../../src/core/record.ts';
import type { Repository } from '../../src/core/repository.ts';
import type { ReportIssue } from '../../src/ports/report-store.ts';
import type { VcsHost } from '../../src/ports/vcs-host.ts';
import type { RunContext } from '../run-context.ts';
import { wake } from '../../src/jobs/wake.ts';

/** A comment of a person on an issue of ours. */
export interface IssueComment {
  readonly context: RunContext;
  readonly host: VcsHost;
  readonly repository: Repository;
  readonly issue: ReportIssue;
  readonly actor: Account;
  readonly commentId: string;
  /** The word people start a command with. */
  readonly word: string;
}

export interface GivenAnswer {
  /** A known one is not given again. */
  readonly key: string;
  readonly view: DriftReply;
  readonly reaction: NewReaction['reaction'];
  /** The actor has no say here. */
  readonly stranger?: boolean;
}

/** Records an answer and has it posted at once. */
export async function answerOnIssue(
  { context, issue, actor, commentId }: IssueComment,
  { key, view, reaction, stranger = false }: GivenAnswer,
): Promise<void> {
  const { repositoryId, number } = issue;
  if (number === undefined) return;
  const reactions = [{ commentId, reaction }];
  await context.reports.answer({
    key,
    repositoryId,
    number,
    view,
    reactions,
    ...(stranger ? { stranger: actor.id } : {}),
  });
  const wakeups = { runIds: [], pullRequestIds: [], deliveries: [], repositoryIds: [repositoryId] };
  await wake(context, wakeups, { report: 'now' });
}
