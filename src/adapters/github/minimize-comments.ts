import { GraphqlResponseError } from '@octokit/graphql';
import { fullName, type RepositoryRef } from '../../core/repository.ts';
import type { WriteOptions } from '../../ports/vcs-host.ts';
import type { HostParts } from './host-parts.ts';
import { orHostError } from './to-host-error.ts';

/** One request for many comments: each GraphQL mutation costs five points of the secondary limit, whatever is in it. */
const MOST = 20;

/** A mutation that folds away this many comments as outdated. */
export function minimizeMutation(count: number): string {
  const places = Array.from({ length: count }, (_, place) => place);
  const variables = places.map((place) => `$id${place}: ID!`).join(', ');
  const fields = places.map(
    (place) =>
      `  m${place}: minimizeComment(input: { subjectId: $id${place}, classifier: OUTDATED }) { minimizedComment { isMinimized } }`,
  );
  return `mutation(${variables}) {\n${fields.join('\n')}\n}`;
}

export function createMinimizeComments(parts: HostParts) {
  const { credentials, clock } = parts;

  async function minimizeComments(ref: RepositoryRef, nodeIds: readonly string[], options?: WriteOptions) {
    await orHostError(clock, `fold away outdated comments of ${fullName(ref)}`, async () => {
      const { octokit, budget } = await credentials.forRepository(ref, 'publish');
      for (let at = 0; at < nodeIds.length; at += MOST) {
        const some = nodeIds.slice(at, at + MOST);
        await budget.take(options);
        const variables = Object.fromEntries(some.map((id, place) => [`id${place}`, id]));
        await octokit.graphql(minimizeMutation(some.length), variables).catch(unlessGone);
      }
    });
  }

  return { minimizeComments };
}

/** A comment that somebody deleted needs no folding; the others of the same request were folded. */
function unlessGone(error: unknown): void {
  const gone = error instanceof GraphqlResponseError && (error.errors ?? []).every((each) => each.type === 'NOT_FOUND');
  if (!gone) throw error;
}
