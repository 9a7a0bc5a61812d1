import { GraphQLError } from 'graphql';

export interface ConnectionArguments {
  readonly first?: number | null;
  readonly last?: number | null;
  readonly after?: string | null;
  readonly before?: string | null;
}

const MAX = 100;

/** GitHub's error objects carry `type` beside the message. */
export function graphqlError(type: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { type } });
}

const cursorOf = (index: number) => Buffer.from(`cursor:${index}`).toString('base64');
const indexOf = (cursor: string) => Number(Buffer.from(cursor, 'base64').toString().replace('cursor:', ''));

/** A page of a list; like GitHub's it must be bounded, by 100 at most. */
export function connection<T>(name: string, list: readonly T[], show: (item: T) => unknown) {
  return (args: ConnectionArguments) => {
    const size = args.first ?? args.last ?? undefined;
    if (size === undefined) {
      const message = `You must provide a \`first\` or \`last\` value to properly paginate the \`${name}\` connection.`;
      throw graphqlError('MISSING_PAGINATION_BOUNDARIES', message);
    }
    if (size > MAX) {
      const message = `Requesting ${size} records on the \`${name}\` connection exceeds the \`first\` limit of ${MAX} records.`;
      throw graphqlError('EXCESSIVE_PAGINATION', message);
    }
    const from = typeof args.after === 'string' ? indexOf(args.after) + 1 : 0;
    const to = typeof args.before === 'string' ? indexOf(args.before) : list.length;
    const backwards = typeof args.first !== 'number';
    const start = backwards ? Math.max(from, to - size) : from;
    const end = backwards ? to : Math.min(to, from + size);
    const page = list.slice(start, end);
    const nodes = page.map(show);
    return {
      totalCount: list.length,
      nodes,
      edges: nodes.map((node, at) => ({ cursor: cursorOf(start + at), node })),
      pageInfo: {
        hasNextPage: end < list.length,
        hasPreviousPage: start > 0,
        startCursor: page.length === 0 ? null : cursorOf(start),
        endCursor: page.length === 0 ? null : cursorOf(end - 1),
      },
    };
  };
}
