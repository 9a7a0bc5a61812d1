import { GraphqlResponseError } from '@octokit/graphql';
import { RequestError } from '@octokit/request-error';
import { HostRefusedError, HostUnavailableError } from '../../core/host-error.ts';
import type { Clock } from './clock.ts';

const AGAIN_MS = 30_000;
const LIMITED_MS = 60_000;

/** Runs one or more calls to the API and turns what Octokit throws into the port's errors; `what` completes "could not ...". */
export async function orHostError<T>(clock: Clock, what: string, calls: () => Promise<T>): Promise<T> {
  try {
    return await calls();
  } catch (error) {
    throw toHostError(clock, what, error);
  }
}

export function toHostError(clock: Clock, what: string, error: unknown): unknown {
  const own = hostErrorWithin(error);
  if (own) return own;
  if (error instanceof GraphqlResponseError) return fromGraphql(clock, what, error);
  if (error instanceof RequestError) return fromAnswer(clock, what, error);
  return error;
}

/** Octokit wraps whatever its `fetch` throws; ours may have thrown the right error already. */
function hostErrorWithin(error: unknown): Error | undefined {
  let at: unknown = error;
  for (let depth = 0; depth < 5 && at instanceof Error; depth += 1) {
    if (at instanceof HostUnavailableError || at instanceof HostRefusedError) return at;
    at = at.cause;
  }
  return undefined;
}

function fromAnswer(clock: Clock, what: string, error: RequestError): Error {
  const { response } = error;
  const now = clock.now();
  if (!response) {
    return new HostUnavailableError(
      `could not ${what}: GitHub did not answer (${error.message})`,
      new Date(now + AGAIN_MS),
      {
        cause: error,
      },
    );
  }
  const { status, headers } = response;
  const limited = limitedUntil(error, now);
  if (limited !== undefined) {
    return new HostUnavailableError(`could not ${what}: GitHub's rate limit is reached`, new Date(limited), {
      cause: error,
    });
  }
  if (status >= 500 || status === 408) {
    const retryAfter = seconds(headers['retry-after']);
    const retryAt = new Date(now + (retryAfter ?? AGAIN_MS / 1000) * 1000);
    return new HostUnavailableError(`could not ${what}: GitHub answered ${status}`, retryAt, { cause: error });
  }
  return refusal(what, error, status);
}

function limitedUntil(error: RequestError, now: number): number | undefined {
  const { status } = error;
  if (status !== 403 && status !== 429) return undefined;
  const headers = error.response?.headers ?? {};
  const retryAfter = seconds(headers['retry-after']);
  if (retryAfter !== undefined) return now + retryAfter * 1000;
  if (headers['x-ratelimit-remaining'] === '0') {
    return (seconds(headers['x-ratelimit-reset']) ?? now / 1000 + 60) * 1000;
  }
  const secondary = status === 429 || /secondary rate|abuse detection/i.test(error.message);
  return secondary ? now + LIMITED_MS : undefined;
}

function seconds(header: string | number | undefined): number | undefined {
  const value = header === undefined ? Number.NaN : Number(header);
  return Number.isFinite(value) ? value : undefined;
}

function refusal(what: string, error: RequestError, status: number): HostRefusedError {
  const needed = error.response?.headers['x-accepted-github-permissions'];
  const neededPermission = status === 403 && needed !== undefined ? String(needed) : undefined;
  const because = {
    401: "the credential was refused; check that the token or the App's private key is valid and not expired",
    403: `permission is missing${neededPermission ? ` (needed: ${neededPermission})` : ''}`,
    404: 'it was not found, or the credential may not see it',
  }[status];
  const reason = because ? `${because}: ${error.message}` : error.message;
  return new HostRefusedError(
    `could not ${what}: GitHub answered ${status}: ${reason}`,
    { status, neededPermission },
    { cause: error },
  );
}

/** In the order in which they matter to whoever has to mend it. */
const GRAPHQL_STATUS: Readonly<Record<string, number>> = {
  FORBIDDEN: 403,
  INSUFFICIENT_SCOPES: 403,
  NOT_FOUND: 404,
  UNPROCESSABLE: 422,
};

/** GraphQL answers 200 whatever happened; the kind of error is in `errors[].type`, which is missing for a time-out. */
function fromGraphql(clock: Clock, what: string, error: GraphqlResponseError<unknown>): Error {
  const types = (error.errors ?? []).map((each) => each.type);
  const refused = Object.keys(GRAPHQL_STATUS).find((type) => types.includes(type));
  if (refused !== undefined) {
    return new HostRefusedError(
      `could not ${what}: ${error.message}`,
      { status: GRAPHQL_STATUS[refused] },
      { cause: error },
    );
  }
  const wait = types.includes('RATE_LIMITED') ? LIMITED_MS : AGAIN_MS;
  return new HostUnavailableError(`could not ${what}: ${error.message}`, new Date(clock.now() + wait), {
    cause: error,
  });
}
