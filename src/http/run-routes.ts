import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { PullRequestId, PullRequestRecord, RunRecord } from '../core/record.ts';
import { artifactContext, ERRORED_STATE } from '../core/sealed-contexts.ts';
import { renderRunPage, renderRunsPage } from '../pages/pages.ts';
import type { FrameView, RunListItemView, RunsPageView } from '../pages/view.ts';
import { followRun, parsePosition } from './follow-run.ts';
import { OpenStreams } from './open-streams.ts';
import { refuse } from './page-guards.ts';
import type { PageSources } from './page-sources.ts';
import { findOrigin, presentPull, presentRun } from './present-run.ts';
import { presentRunPage } from './present-run-page.ts';
import { pathParameter, queryParameter } from './request-fields.ts';
import { readLog } from './run-log.ts';

const RUNS_PER_PAGE = 50;

type Frame = (request: FastifyRequest) => FrameView;

/** The list of runs, one run, and what can be fetched of it. */
export function registerRunRoutes(app: FastifyInstance, sources: PageSources, frame: Frame): void {
  const streams = new OpenStreams();
  app.addHook('preClose', async () => streams.close());
  app.get('/runs', async (request, reply) => sendRuns(sources, frame(request), request, reply));
  app.get('/runs/:id', async (request, reply) => {
    const found = await findRun(sources, request);
    if (found === undefined) return refuseUnknownRun(request, reply);
    return sendPage(reply, renderRunPage(await presentRunPage(sources, frame(request), found.run, found.origin)));
  });
  app.get('/runs/:id/log', async (request, reply) => {
    const found = await findRun(sources, request);
    if (found === undefined) return refuseUnknownRun(request, reply);
    return reply.type('text/plain; charset=utf-8').send(Readable.from(readLog(sources, found.run.id)));
  });
  app.get(`/runs/:id/${ERRORED_STATE}`, async (request, reply) => sendErroredState(sources, request, reply));
  // Answering HEAD would open a stream that nobody reads.
  app.get('/runs/:id/events', { exposeHeadRoute: false }, async (request, reply) =>
    sendEvents(sources, streams, request, reply),
  );
}

async function sendRuns(
  sources: PageSources,
  frame: FrameView,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const pullId = queryParameter(request, 'pull') as PullRequestId | undefined;
  const after = queryParameter(request, 'after');
  const pull = pullId === undefined ? undefined : await sources.pulls.find(pullId);
  if (pullId !== undefined && pull === undefined)
    return refuse(request, reply, 404, 'Not found', 'This pull request is not on record.');
  const only = ONLY.find(({ name }) => name === queryParameter(request, 'only'));
  const found = await sources.runs.listRuns({
    ...(pull && { pullRequestId: pull.id }),
    ...(only && { operations: only.operations }),
    ...(after !== undefined && { after }),
    limit: RUNS_PER_PAGE + 1,
  });
  const shown = found.slice(0, RUNS_PER_PAGE);
  const last = found.length > RUNS_PER_PAGE ? shown.at(-1) : undefined;
  return sendPage(
    reply,
    renderRunsPage({
      ...frame,
      runs: await presentRuns(sources, shown),
      pull: pull && presentPull(pull),
      filters: pull === undefined ? filtersOf(only) : [],
      olderUrl: last && listUrl({ pull, only, after: last.id }),
      newestUrl: after === undefined ? undefined : listUrl({ pull, only }),
    }),
  );
}

/** Drift checks are many, and would hide what pull requests do. */
const ONLY = [
  { name: 'pull-requests', text: 'pull requests', operations: ['plan', 'apply'] },
  { name: 'drift', text: 'drift', operations: ['drift_check', 'remediation'] },
] as const;
type Only = (typeof ONLY)[number];

function filtersOf(chosen: Only | undefined): RunsPageView['filters'] {
  return [undefined, ...ONLY].map((only) => ({
    text: only?.text ?? 'all',
    url: listUrl({ only }),
    current: only === chosen,
  }));
}

interface ListAddress {
  readonly pull?: PullRequestRecord | undefined;
  readonly only?: Only | undefined;
  readonly after?: string;
}

function listUrl({ pull, only, after }: ListAddress): string {
  const parameters = new URLSearchParams({
    ...(pull && { pull: pull.id }),
    ...(only && { only: only.name }),
    ...(after && { after }),
  });
  return parameters.size === 0 ? '/runs' : `/runs?${parameters}`;
}

async function presentRuns(sources: PageSources, runs: readonly RunRecord[]): Promise<readonly RunListItemView[]> {
  const newest = new Map(runs.map((run) => [run.pullRequestId ?? run.repositoryId, run]));
  const found = await Promise.all([...newest].map(async ([id, run]) => [id, await findOrigin(sources, run)] as const));
  const origins = new Map(found);
  return runs.flatMap((run) => {
    const origin = origins.get(run.pullRequestId ?? run.repositoryId);
    return origin === undefined ? [] : [presentRun(run, origin.view)];
  });
}

async function findRun(sources: PageSources, request: FastifyRequest) {
  const run = await sources.runs.findRun(pathParameter(request, 'id'));
  const origin = run && (await findOrigin(sources, run));
  return run && origin && { run, origin };
}

function refuseUnknownRun(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return refuse(request, reply, 404, 'Not found', 'This run is not on record; the oldest ones are removed.');
}

function sendPage(reply: FastifyReply, html: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(html);
}

/** The state of real infrastructure, with its secrets: for a person who repairs it, and written to the log. */
async function sendErroredState(
  { runs, seal, logger }: PageSources,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const id = pathParameter(request, 'id');
  const sealed = await runs.readArtifact(id, ERRORED_STATE);
  if (sealed === undefined) return refuse(request, reply, 404, 'Not found', 'No unsaved state was kept of this run.');
  const state = seal.open(sealed, artifactContext(id, ERRORED_STATE));
  logger.info({ run: id, ip: request.ip }, 'an errored.tfstate was downloaded');
  void reply.header('content-disposition', `attachment; filename="${ERRORED_STATE}"`);
  return reply.type('application/octet-stream').send(state);
}

async function sendEvents(
  sources: PageSources,
  streams: OpenStreams,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const found = await findRun(sources, request);
  if (found === undefined) return refuseUnknownRun(request, reply);
  const stream = streams.begin();
  if (stream === undefined) {
    void reply.header('retry-after', 30);
    return refuse(
      request,
      reply,
      503,
      'Too many watchers',
      'Too many logs are being watched at once. Try again later.',
    );
  }
  reply.raw.once('close', () => streams.end(stream));
  // The server's limit on silent connections is for strangers that hold them open.
  request.raw.socket.setTimeout(0);
  const resumeAt = request.headers['last-event-id'];
  const position = parsePosition(typeof resumeAt === 'string' ? resumeAt : queryParameter(request, 'after'));
  void reply.header('cache-control', 'no-store, no-transform').header('x-accel-buffering', 'no');
  const events = followRun(sources, found.run.id, position, stream.signal);
  return reply.type('text/event-stream; charset=utf-8').send(Readable.from(orEnd(events, sources, found.run.id)));
}

/** A browser connects again after an end by itself, and goes on where it was; an error is ours to know. */
async function* orEnd(events: AsyncGenerator<string>, { logger }: PageSources, runId: string): AsyncGenerator<string> {
  try {
    yield* events;
  } catch (error) {
    logger.warn({ error, run: runId }, 'the live log broke off');
  }
}
