import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../http/api-error.ts';
import { identify } from '../http/caller.ts';
import { type Answer, exchange, limitKey, type Machinery, refusal, type RequestRecord } from '../http/exchange.ts';
import { operationKind, runGraphql } from './endpoint.ts';

/** `POST /graphql`: always with a credential, on a budget of its own. */
export async function handleGraphql(machinery: Machinery, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const body = (request.body ?? {}) as Record<string, unknown>;
  const kind = operationKind(body['query']) ?? 'query';
  await exchange(machinery, `graphql:${kind}`, request, reply, (record) =>
    answerFor(machinery, request, body, kind, record),
  );
}

async function answerFor(
  machinery: Machinery,
  request: FastifyRequest,
  body: Readonly<Record<string, unknown>>,
  kind: string,
  record: RequestRecord,
): Promise<Answer> {
  let headers: Record<string, string> = {};
  try {
    const caller = identify(machinery.hub.world, request.headers.authorization);
    record.token = caller.kind;
    if (caller.kind === 'anonymous')
      throw new ApiError(
        403,
        'API rate limit exceeded for 127.0.0.1. (Authenticated requests get a higher rate limit.)',
      );
    if (caller.kind === 'app') throw new ApiError(401, 'Bad credentials');
    const key = limitKey(caller);
    machinery.limits.checkSecondary(key, kind === 'mutation' && /\baddComment\b/.test(String(body['query'])));
    headers = machinery.limits.spend(key, 'graphql');
    const { hub, books, limits } = machinery;
    return { status: 200, headers, body: await runGraphql({ hub, books, limits, limitKey: key, caller, body }) };
  } catch (error) {
    return refusal(error, headers);
  }
}
