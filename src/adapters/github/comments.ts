import { HostRefusedError } from '../../core/host-error.ts';
import { fullName, type RepositoryRef } from '../../core/repository.ts';
import type { PostedComment, Reaction, WriteOptions } from '../../ports/vcs-host.ts';
import type { HostParts } from './host-parts.ts';
import { isStatus } from './repositories.ts';
import { orHostError } from './to-host-error.ts';

/** The limit that GitHub's error names, in characters; counted in UTF-16 units it is safe under every reading. */
export const COMMENT_LENGTH = 65_536;

export interface GithubComment {
  readonly id: number;
  readonly node_id: string;
  readonly html_url: string;
}

export function toPostedComment(data: GithubComment): PostedComment {
  return { id: String(data.id), nodeId: data.node_id, url: data.html_url };
}

/** An over-long edit has been reported to be answered 200 with nothing stored, so it is not sent at all. */
export function refuseTooLong(body: string, what = 'comment', most = COMMENT_LENGTH): void {
  if (body.length <= most) return;
  throw new HostRefusedError(
    `the ${what} has ${body.length} characters, GitHub takes ${most} at most; shorten it before posting`,
    { status: undefined },
  );
}

export function createComments(parts: HostParts) {
  const { credentials, clock } = parts;

  async function createComment(ref: RepositoryRef, number: number, body: string, options?: WriteOptions) {
    refuseTooLong(body);
    return orHostError(clock, `comment on ${fullName(ref)}#${number}`, async () => {
      const { octokit, budget } = await credentials.forRepository(ref, 'publish');
      await budget.take(options);
      const { data } = await octokit.rest.issues.createComment({
        owner: ref.owner,
        repo: ref.name,
        issue_number: number,
        body,
      });
      return toPostedComment(data);
    });
  }

  async function updateComment(ref: RepositoryRef, commentId: string, body: string, options?: WriteOptions) {
    refuseTooLong(body);
    return orHostError(clock, `edit the comment ${commentId} of ${fullName(ref)}`, async () => {
      const { octokit, budget } = await credentials.forRepository(ref, 'publish');
      await budget.take(options);
      try {
        await octokit.rest.issues.updateComment({
          owner: ref.owner,
          repo: ref.name,
          comment_id: Number(commentId),
          body,
        });
        return true;
      } catch (error) {
        if (isStatus(error, 404)) return false;
        throw error;
      }
    });
  }

  /** A marker in somebody else's comment, or further down in ours, proves nothing. */
  async function findOwnComment(ref: RepositoryRef, number: number, marker: string) {
    return orHostError(clock, `look for our comment on ${fullName(ref)}#${number}`, async () => {
      const { octokit } = await credentials.forRepository(ref, 'facts');
      const pages = octokit.paginate.iterator(octokit.rest.issues.listComments, {
        owner: ref.owner,
        repo: ref.name,
        issue_number: number,
        per_page: 100,
      });
      for await (const { data } of pages) {
        for (const comment of data.filter((each) => each.body?.startsWith(marker))) {
          const own = await credentials.isOwn({
            userId: comment.user ? String(comment.user.id) : undefined,
            userType: comment.user?.type,
            appId: comment.performed_via_github_app ? String(comment.performed_via_github_app.id) : undefined,
          });
          if (own) return toPostedComment(comment);
        }
      }
      return undefined;
    });
  }

  /** Idempotent: GitHub answers 200 when the reaction was there already. */
  async function addReaction(ref: RepositoryRef, commentId: string, reaction: Reaction, options?: WriteOptions) {
    await orHostError(clock, `react to the comment ${commentId} of ${fullName(ref)}`, async () => {
      const { octokit, budget } = await credentials.forRepository(ref, 'publish');
      await budget.take(options);
      await octokit.rest.reactions.createForIssueComment({
        owner: ref.owner,
        repo: ref.name,
        comment_id: Number(commentId),
        content: reaction,
      });
    });
  }

  /** Pull requests are issues, and so are their comments: GitHub's `html_url` of one has this form. */
  const commentUrl = (on: { readonly url: string }, commentId: string) =>
    `${on.url}#issuecomment-${encodeURIComponent(commentId)}`;

  return { createComment, updateComment, findOwnComment, addReaction, commentUrl };
}
