import { readFileSync } from 'node:fs';
import {
  buildSchema,
  execute,
  getOperationAST,
  GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  parse,
  validate,
} from 'graphql';
import type { Caller } from '../http/caller.ts';
import { sees } from '../http/caller.ts';
import type { Books } from '../http/exchange.ts';
import type { Limits } from '../http/limits.ts';
import type { Hub } from '../hub.ts';
import { graphqlError } from './connection.ts';
import { Mutations } from './mutations.ts';
import { Nodes } from './nodes.ts';

let schema: GraphQLSchema | undefined;

/** GitHub's published schema; read when the first query comes, because it takes a good part of a second. */
function publishedSchema(): GraphQLSchema {
  const path = () => new URL('schema.graphql', import.meta.resolve('@octokit/graphql-schema'));
  schema ??= buildSchema(readFileSync(path(), 'utf8'), { assumeValid: true });
  return schema;
}

export interface GraphqlCall {
  readonly hub: Hub;
  readonly books: Books;
  readonly limits: Limits;
  readonly limitKey: string;
  readonly caller: Caller;
  readonly body: Readonly<Record<string, unknown>>;
}

function rootOf({ hub, caller, limits, limitKey }: GraphqlCall) {
  const nodes = new Nodes(hub, caller);
  const query = {
    viewer: () => {
      if (!('account' in caller)) throw graphqlError('FORBIDDEN', 'Resource not accessible by integration');
      return nodes.account(caller.account);
    },
    repository: ({ owner, name }: { owner: string; name: string }) => {
      const repository =
        hub.world.findRepository(owner, name) ?? hub.world.formerNames.get(`${owner}/${name}`.toLowerCase());
      if (repository === undefined || !sees(caller, repository)) {
        throw graphqlError('NOT_FOUND', `Could not resolve to a Repository with the name '${owner}/${name}'.`);
      }
      return nodes.repository(repository);
    },
    node: ({ id }: { id: string }) => nodes.byId(id),
    nodes: ({ ids }: { ids: string[] }) => ids.map((id) => nodes.byId(id)),
    rateLimit: () => {
      const { limit, used, remaining, reset } = limits.view(limitKey, 'graphql');
      return { limit, used, remaining, cost: 1, nodeCount: 1, resetAt: new Date(reset * 1000).toISOString() };
    },
  };
  return { query, mutations: new Mutations(hub, caller, nodes) };
}

/** A field the schema has and this server has not is written down, so that the test that needs it fails with its name. */
function strictResolver(books: Books): GraphQLFieldResolver<unknown, unknown> {
  return (source, args, _context, info) => {
    const object = source as Readonly<Record<string, unknown>>;
    const value = object[info.fieldName];
    if (value === undefined && info.fieldName !== 'clientMutationId') {
      const name = `${info.parentType.name}.${info.fieldName}`;
      books.unexpected.push(`GraphQL ${name}`);
      throw new GraphQLError(`The local GitHub server does not serve ${name}.`);
    }
    return typeof value === 'function' ? (value as (given: unknown) => unknown)(args) : value;
  };
}

/** GitHub's errors have `type` at the top. */
function showError(error: GraphQLError) {
  const { type } = error.extensions;
  const { message, path, locations } = error;
  return { ...(typeof type === 'string' ? { type } : {}), ...(path === undefined ? {} : { path }), locations, message };
}

/** Whether the text asks to change something; `undefined` when it cannot be read. */
export function operationKind(query: unknown): 'query' | 'mutation' | 'subscription' | undefined {
  try {
    return getOperationAST(parse(String(query)))?.operation;
  } catch {
    return undefined;
  }
}

/** Carries out one query. As on GitHub a wrong query is answered 200 with `errors`; here it is also written down as wrong. */
export async function runGraphql(call: GraphqlCall): Promise<unknown> {
  const { query, variables, operationName } = call.body;
  const published = publishedSchema();
  let document: ReturnType<typeof parse>;
  try {
    document = parse(String(query));
  } catch (error) {
    return refuse(call, [error as GraphQLError]);
  }
  const problems = validate(published, document);
  if (problems.length > 0) return refuse(call, problems);
  const { query: rootQuery, mutations } = rootOf(call);
  const { data, errors } = await execute({
    schema: published,
    document,
    rootValue: operationKind(query) === 'mutation' ? mutations : rootQuery,
    variableValues: (variables ?? {}) as Record<string, unknown>,
    operationName: typeof operationName === 'string' ? operationName : null,
    fieldResolver: strictResolver(call.books),
  });
  return { data: data ?? null, ...(errors === undefined ? {} : { errors: errors.map(showError) }) };
}

function refuse({ books }: GraphqlCall, problems: readonly GraphQLError[]) {
  books.violations.push({ method: 'POST', path: '/graphql', problems: problems.map((problem) => problem.message) });
  return { errors: problems.map(showError) };
}
