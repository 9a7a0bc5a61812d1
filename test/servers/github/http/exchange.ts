import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Hub } from '../hub.ts';
import { RefusedError } from '../operations/pulls.ts';
import { ApiError } from './api-error.ts';
import { BadCredentialsError, type Caller } from './caller.ts';
import type { Faults } from './faults.ts';
import type { Limits } from './limits.ts';
import type { ApiDescription } from './validation.ts';

export interface RequestRecord {
  readonly method: string;
  readonly path: string;
  readonly operation: string | undefined;
  status: number;
  token: Caller['kind'];
  readonly at: Date;
  durationMs: number;
}

export interface Violation {
  readonly method: string;
  readonly path: string;
  readonly problems: readonly string[];
}

export interface Books {
  readonly requests: RequestRecord[];
  /** Requests no route answers. */
  readonly unexpected: string[];
  /** Requests that GitHub's description does not allow. */
  readonly violations: Violation[];
  /** Answers of this server that GitHub's description does not allow: a mistake of this server. */
  readonly ownMistakes: Violation[];
}

export interface Machinery {
  readonly hub: Hub;
  readonly description: ApiDescription;
  readonly limits: Limits;
  readonly faults: Faults;
  readonly books: Books;
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  /** undefined: no body. */
  readonly body: unknown;
}

export function limitKey(caller: Caller): string {
  if (caller.kind === 'personal') return `user ID ${caller.account.id}`;
  if (caller.kind === 'installation') return `installation ID ${caller.installation.id}`;
  return caller.kind === 'app' ? `app ID ${caller.app.id}` : '127.0.0.1';
}

/** One request from the outside: written down, hit by faults, answered by `answerFor`, and sent. */
export async function exchange(
  machinery: Machinery,
  operation: string,
  request: FastifyRequest,
  reply: FastifyReply,
  answerFor: (record: RequestRecord) => Promise<Answer>,
): Promise<void> {
  const started = performance.now();
  const path = request.url.split('?')[0] ?? '';
  const record: RequestRecord = {
    method: request.method,
    path,
    operation,
    status: 0,
    token: 'anonymous',
    at: new Date(),
    durationMs: 0,
  };
  machinery.books.requests.push(record);
  const answer = await faulty(machinery.faults, request.method, path, () => answerFor(record));
  record.status = answer?.status ?? 0;
  record.durationMs = performance.now() - started;
  if (answer !== undefined) return await send(reply, answer);
  reply.hijack();
  request.raw.socket.destroy();
}

/** What the caller gets when things go wrong on demand; undefined: its connection is dropped. */
async function faulty(
  faults: Faults,
  method: string,
  path: string,
  carryOut: () => Promise<Answer>,
): Promise<Answer | undefined> {
  if (faults.offline === 'reset') return undefined;
  if (faults.offline === 'unavailable') return { status: 503, headers: {}, body: { message: 'Service Unavailable' } };
  const fault = faults.take(method, path);
  if (fault === undefined) return await carryOut();
  if (fault.delayMs !== undefined) await setTimeout(fault.delayMs);
  const drop = fault.dropConnection;
  if (drop === true || drop === 'before') return undefined;
  const done =
    fault.status === undefined || fault.afterHandling === true || drop === 'after' ? await carryOut() : undefined;
  if (drop === 'after') return undefined;
  if (fault.status === undefined) return done;
  return { status: fault.status, headers: { ...fault.headers }, body: fault.body ?? { message: 'Server Error' } };
}

async function send(reply: FastifyReply, answer: Answer): Promise<void> {
  reply.code(answer.status).headers({
    'x-github-request-id': randomUUID().slice(0, 18).toUpperCase(),
    'x-github-media-type': 'github.v3; format=json',
    ...answer.headers,
  });
  if (answer.body === undefined) await reply.send();
  else await reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(answer.body));
}

/** A refusal in GitHub's shape; what is no refusal is this server's own failure, and says so. */
export function refusal(error: unknown, headers: Record<string, string>): Answer {
  const known = toApiError(error);
  return { status: known.status, headers: { ...headers, ...known.headers }, body: known.body };
}

function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof BadCredentialsError) return new ApiError(401, error.message);
  if (error instanceof RefusedError) return new ApiError(error.status, error.message);
  return new ApiError(500, `The local GitHub server failed: ${error instanceof Error ? error.stack : String(error)}`);
}
