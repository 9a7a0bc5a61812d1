import type { FastifyReply, FastifyRequest } from 'fastify';
import { atLeast, roleOf } from '../state/permissions.ts';
import { ApiError, notFound } from './api-error.ts';
import { acceptedHeader, type Caller, grantCovers, identify, mayApp, type Requirement, sees } from './caller.ts';
import { type Answer, exchange, limitKey, type Machinery, refusal, type RequestRecord } from './exchange.ts';
import { etagOf, matchesEtag, paginate } from './paging.ts';
import { type Route, type RouteAnswer, type RouteRequest, repositoryOf } from './route.ts';

/** The path and query as they were asked, before the prefix of an Enterprise server was taken off. */
function askedUrl(machinery: Machinery, request: FastifyRequest): string {
  return `${machinery.hub.urls.html}${request.originalUrl}`;
}

export async function handleApi(
  machinery: Machinery,
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  await exchange(machinery, route.operation, request, reply, (record) => answerFor(machinery, route, request, record));
}

async function answerFor(
  machinery: Machinery,
  route: Route,
  request: FastifyRequest,
  record: RequestRecord,
): Promise<Answer> {
  let headers: Record<string, string> = {};
  try {
    const caller = identify(machinery.hub.world, request.headers.authorization);
    record.token = caller.kind;
    const key = limitKey(caller);
    machinery.limits.checkSecondary(key, false);
    headers =
      route.operation === 'rate-limit/get'
        ? machinery.limits.headers(key, 'core')
        : machinery.limits.spend(key, 'core');
    const call = { hub: machinery.hub, limits: machinery.limits, caller, method: request.method, ...partsOf(request) };
    authorise(route, call);
    checkRequest(machinery, route, request, call);
    machinery.limits.checkSecondary(key, route.createsContent === true);
    const answer = shape(machinery, request, await route.handle(call));
    checkAnswer(machinery, route, request, answer);
    return withEtag(machinery, request, caller, { ...answer, headers: { ...headers, ...answer.headers } });
  } catch (error) {
    return refusal(error, headers);
  }
}

function partsOf(request: FastifyRequest): Pick<RouteRequest, 'params' | 'query' | 'body'> {
  const body = request.body ?? {};
  if (typeof body !== 'object') throw new ApiError(400, 'Body should be a JSON object');
  return {
    params: request.params as Record<string, string>,
    query: request.query as Record<string, string>,
    body: body as Record<string, unknown>,
  };
}

function authorise(route: Route, call: RouteRequest): void {
  const { caller } = call;
  if (route.needs === 'anyone') return;
  if (route.needs === 'app') {
    if (caller.kind !== 'app') throw new ApiError(401, 'A JSON web token could not be decoded');
    return;
  }
  if (caller.kind === 'app') throw new ApiError(401, 'Bad credentials');
  if (route.needs === 'user') {
    if (caller.kind === 'anonymous') throw new ApiError(401, 'Requires authentication');
    if (caller.kind === 'installation') throw integrationRefused();
    return;
  }
  if (route.needs === 'installation') {
    if (caller.kind !== 'installation')
      throw new ApiError(
        403,
        'You must authenticate with an installation access token in order to list repositories for an installation.',
      );
    return;
  }
  authoriseRequirement(route, route.needs, call);
}

function integrationRefused(requirement?: Requirement): ApiError {
  const headers =
    requirement === undefined ? {} : { headers: { 'x-accepted-github-permissions': acceptedHeader(requirement) } };
  return new ApiError(403, 'Resource not accessible by integration', headers);
}

function authoriseRequirement(route: Route, requirement: Requirement, call: RouteRequest): void {
  const { caller } = call;
  const inRepository = call.params['repo'] !== undefined;
  if (inRepository && !sees(caller, repositoryOf(call))) throw notFound();
  const writes = call.method !== 'GET' || atLeast(requirement.role, 'triage');
  if (caller.kind === 'installation') {
    const covered = !inRepository || !writes || grantCovers(caller.grant, repositoryOf(call));
    if (!covered || !mayApp(caller.grant, requirement)) throw integrationRefused(requirement);
  } else if (route.appOnly === true) throw new ApiError(403, 'You must authenticate via a GitHub App.');
  else if (caller.kind === 'anonymous' && (!inRepository || writes)) throw new ApiError(401, 'Requires authentication');
  else if (
    inRepository &&
    caller.kind === 'personal' &&
    !atLeast(roleOf(repositoryOf(call), caller.account), requirement.role)
  ) {
    throw new ApiError(
      403,
      requirement.role === 'admin'
        ? 'Must have admin rights to Repository.'
        : `Must have ${requirement.role} access to Repository.`,
    );
  }
  if (inRepository && call.method !== 'GET' && repositoryOf(call).archived) {
    throw new ApiError(403, 'Repository was archived so is read-only.');
  }
}

/** A ref has slashes, which GitHub takes both ways and the description's path template only encoded. */
function encodedRef(path: string): string {
  return path.replace(
    /(\/git\/refs?\/)(.+)$/,
    (_whole, before: string, ref: string) => before + encodeURIComponent(decodeURIComponent(ref)),
  );
}

function checkRequest(machinery: Machinery, route: Route, request: FastifyRequest, call: RouteRequest): void {
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const problems = machinery.description.checkRequest(route.operation, {
    method: request.method,
    path: encodedRef(request.url.split('?')[0] ?? ''),
    headers,
    query: call.query,
    body: request.body ?? undefined,
  });
  if (request.headers['user-agent'] === undefined)
    problems.push('Request forbidden by administrative rules: it has no User-Agent header.');
  if (problems.length === 0) return;
  machinery.books.violations.push({ method: request.method, path: request.url, problems });
  throw new ApiError(422, `Invalid request.\n\n${problems.join('\n')}`);
}

function shape(machinery: Machinery, request: FastifyRequest, answer: RouteAnswer): Answer {
  const headers = { ...answer.headers };
  if (answer.list === undefined) return { status: answer.status ?? 200, headers, body: answer.body };
  const { items, link } = paginate(answer.list, request.query as Record<string, string>, askedUrl(machinery, request));
  if (link !== undefined) headers['link'] = link;
  const show = answer.show as ((item: unknown) => unknown) | undefined;
  const page = show === undefined ? [...items] : items.map((item) => show(item));
  return { status: 200, headers, body: answer.wrap === undefined ? page : answer.wrap(page, answer.list.length) };
}

function checkAnswer(machinery: Machinery, route: Route, request: FastifyRequest, answer: Answer): void {
  const body: unknown = answer.body === undefined ? undefined : JSON.parse(JSON.stringify(answer.body));
  const problems = machinery.description.checkAnswer(route.operation, answer.status, body);
  if (problems.length === 0) return;
  machinery.books.ownMistakes.push({ method: request.method, path: request.url, problems });
  throw new Error(`the answer of ${route.operation} is not what GitHub describes: ${problems.join('; ')}`);
}

function withEtag(machinery: Machinery, request: FastifyRequest, caller: Caller, answer: Answer): Answer {
  if (request.method !== 'GET' || answer.status !== 200) return answer;
  const etag = etagOf(`${JSON.stringify(answer.body)}\0${request.headers.accept ?? ''}\0${caller.kind}`);
  const headers = {
    ...answer.headers,
    etag,
    'cache-control': 'private, max-age=60, s-maxage=60',
    vary: 'Accept, Authorization, Cookie',
  };
  if (!matchesEtag(request.headers['if-none-match'], etag)) return { ...answer, headers };
  const free = caller.kind === 'anonymous' ? {} : machinery.limits.refund(limitKey(caller), 'core');
  return { status: 304, headers: { ...headers, ...free }, body: undefined };
}

/** A former name is answered with the way to the repository's id, once the caller may see it. */
export function redirectFor(
  machinery: Machinery,
  request: FastifyRequest,
): { status: number; location: string } | undefined {
  const match = /^\/repos\/([^/]+)\/([^/?]+)(.*)$/.exec(request.url);
  if (match === null) return undefined;
  const [, owner = '', name = '', rest = ''] = match;
  if (machinery.hub.world.findRepository(owner, name) !== undefined) return undefined;
  const repository = machinery.hub.world.formerNames.get(`${owner}/${name}`.toLowerCase());
  if (repository === undefined || repository.deleted) return undefined;
  const prefix = request.originalUrl.startsWith('/api/v3/') ? '/api/v3' : '';
  const location = `${machinery.hub.urls.html}${prefix}/repositories/${repository.id}${rest}`;
  return { status: request.method === 'GET' || request.method === 'HEAD' ? 301 : 307, location };
}
