import type { Caller } from '../http/caller.ts';
import { accountOf, authorOf } from '../http/route.ts';
import type { Hub } from '../hub.ts';
import { addComment } from '../operations/conversation.ts';
import { mergePull } from '../operations/pulls.ts';
import type { IssueComment, PullRequest, Repository } from '../state/model.ts';
import { sees } from '../http/caller.ts';
import { graphqlError } from './connection.ts';
import type { Nodes } from './nodes.ts';

interface Input<T> {
  readonly input: T & { readonly clientMutationId?: string };
}

const forbidden = () => graphqlError('FORBIDDEN', 'Resource not accessible by integration');

/** The mutations a client may send; the others answer that they are not served here. */
export class Mutations {
  readonly #hub: Hub;
  readonly #caller: Caller;
  readonly #nodes: Nodes;

  constructor(hub: Hub, caller: Caller, nodes: Nodes) {
    this.#hub = hub;
    this.#caller = caller;
    this.#nodes = nodes;
  }

  /** `minimizedReason` reads back in lower case with a dash. */
  minimizeComment = ({ input }: Input<{ subjectId: string; classifier: string }>) => {
    const { repository, comment } = this.#findComment(input.subjectId);
    if (!this.#nodes.mayWriteTo(repository)) throw forbidden();
    comment.minimizedReason = input.classifier.toLowerCase().replaceAll('_', '-');
    return { clientMutationId: input.clientMutationId, minimizedComment: this.#nodes.comment(repository, comment) };
  };

  unminimizeComment = ({ input }: Input<{ subjectId: string }>) => {
    const { repository, comment } = this.#findComment(input.subjectId);
    if (!this.#nodes.mayWriteTo(repository)) throw forbidden();
    comment.minimizedReason = undefined;
    return { clientMutationId: input.clientMutationId, unminimizedComment: this.#nodes.comment(repository, comment) };
  };

  addComment = ({ input }: Input<{ subjectId: string; body: string }>) => {
    const pull = this.#findPull(input.subjectId);
    if (this.#caller.kind === 'installation' && !this.#nodes.mayWriteTo(pull.repository)) throw forbidden();
    const comment = addComment(this.#hub, pull.repository, pull.issue, authorOf(this.#caller), input.body);
    const node = this.#nodes.comment(pull.repository, comment);
    return {
      clientMutationId: input.clientMutationId,
      commentEdge: { node, cursor: comment.nodeId },
      subject: this.#nodes.pull(pull),
    };
  };

  mergePullRequest = async ({
    input,
  }: Input<{ pullRequestId: string; expectedHeadOid?: string; mergeMethod?: string }>) => {
    const pull = this.#findPull(input.pullRequestId);
    if (!this.#nodes.mayWriteTo(pull.repository)) throw forbidden();
    const method = (input.mergeMethod ?? 'MERGE').toLowerCase() as 'merge' | 'squash' | 'rebase';
    await mergePull(this.#hub, pull, { by: accountOf(this.#caller), method, sha: input.expectedHeadOid });
    return { clientMutationId: input.clientMutationId, pullRequest: this.#nodes.pull(pull) };
  };

  #visible(): Repository[] {
    return [...this.#hub.world.repositories.values()].filter((one) => sees(this.#caller, one));
  }

  #findComment(id: string): { repository: Repository; comment: IssueComment } {
    for (const repository of this.#visible()) {
      const comment = [...repository.comments.values()].find((one) => one.nodeId === id);
      if (comment !== undefined) return { repository, comment };
    }
    throw graphqlError('NOT_FOUND', `Could not resolve to a node with the global id of '${id}'`);
  }

  #findPull(id: string): PullRequest {
    for (const repository of this.#visible()) {
      const found = [...repository.issues.values()].find((issue) => issue.pull?.nodeId === id)?.pull;
      if (found !== undefined) return found;
    }
    throw graphqlError('NOT_FOUND', `Could not resolve to a node with the global id of '${id}'`);
  }
}
