import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { handleGit } from './git-http.ts';
import { handleGraphql } from './graphql/handle.ts';
import { Faults } from './http/faults.ts';
import { GITHUB_LIMITS, type LimitOptions, Limits } from './http/limits.ts';
import type { Books, Machinery } from './http/exchange.ts';
import { handleApi, redirectFor } from './http/pipeline.ts';
import { publishedDescription } from './http/validation.ts';
import type { Hub } from './hub.ts';
import { mountPages } from './pages/page-routes.ts';
import { People } from './people.ts';
import { ALL_ROUTES } from './routes/all-routes.ts';
import { World } from './state/world.ts';
import { fullName } from './state/world.ts';
import { Deliverer, type HookConfig } from './webhooks/deliverer.ts';

export interface GithubServerOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number;
  readonly host?: string;
  readonly webhook?: HookConfig;
  readonly limits?: Partial<LimitOptions>;
  /** How many reads of a pull request answer `mergeable: null` after its commits changed; GitHub's "at first". Default 1. */
  readonly mergeableDelay?: number;
  /** How long a receiver of webhooks may take; GitHub's 10 s by default. */
  readonly webhookTimeoutMs?: number;
  /** Where the git repositories go; default: a temporary folder, removed at the end. */
  readonly folder?: string;
}

/** GitHub, as far as Holdfast can tell: see README.md. */
export class GithubServer extends People implements AsyncDisposable {
  readonly faults: Faults;
  readonly limits: Limits;
  readonly #books: Books;
  readonly #app: FastifyInstance;
  readonly #ownFolder: boolean;

  constructor(machinery: Machinery, app: FastifyInstance, ownFolder: boolean) {
    super(machinery.hub);
    this.faults = machinery.faults;
    this.limits = machinery.limits;
    this.#books = machinery.books;
    this.#app = app;
    this.#ownFolder = ownFolder;
  }

  /** `http://127.0.0.1:PORT`: pages and git. */
  get url(): string {
    return this.hub.urls.html;
  }

  /** REST as on api.github.com; GraphQL is at `/graphql` under it. */
  get apiUrl(): string {
    return this.hub.urls.api;
  }

  /** REST as on an Enterprise server; GraphQL is at `/api/graphql`. */
  get enterpriseApiUrl(): string {
    return `${this.url}/api/v3`;
  }

  get cloneUrlTemplate(): string {
    return `${this.url}/{owner}/{repo}.git`;
  }

  /** Every request the API answered, in order. */
  get requests(): Books['requests'] {
    return this.#books.requests;
  }

  get unexpected(): Books['unexpected'] {
    return this.#books.unexpected;
  }

  get violations(): Books['violations'] {
    return this.#books.violations;
  }

  get ownMistakes(): Books['ownMistakes'] {
    return this.#books.ownMistakes;
  }

  /** Every webhook attempt, in order. */
  get deliveries(): Deliverer['log'] {
    return this.hub.hooks.log;
  }

  /** Calls and writes since the log was last cleared; a GraphQL mutation is a write. */
  get counts(): { readonly calls: number; readonly writes: number } {
    const writes = this.requests.filter(
      (one) => one.operation === 'graphql:mutation' || (!one.operation?.startsWith('graphql') && one.method !== 'GET'),
    );
    return { calls: this.requests.length, writes: writes.length };
  }

  setWebhook(config: HookConfig | undefined): void {
    this.hub.hooks.config = config;
  }

  /** Resolves when all webhooks sent until now were answered. */
  async settled(): Promise<void> {
    await this.hub.hooks.settled();
  }

  /** Throws when a client asked for what GitHub does not have or in a way GitHub does not describe. */
  assertClean(): void {
    const { unexpected, violations, ownMistakes } = this.#books;
    const lines = [
      ...unexpected.map((one) => `no such route: ${one}`),
      ...violations.map((one) => `${one.method} ${one.path}: ${one.problems.join('; ')}`),
      ...ownMistakes.map((one) => `this server's own mistake: ${one.method} ${one.path}: ${one.problems.join('; ')}`),
    ];
    if (lines.length > 0) throw new Error(`Requests that GitHub would not understand:\n${lines.join('\n')}`);
  }

  /** Nobody answers at the address any more: connections are refused. */
  async stopListening(): Promise<void> {
    const closed = new Promise((resolve) => this.#app.server.close(resolve));
    this.#app.server.closeAllConnections();
    await closed;
  }

  /** Back at the same address. */
  async resumeListening(): Promise<void> {
    const { hostname, port } = new URL(this.url);
    await new Promise<void>((resolve) => this.#app.server.listen(Number(port), hostname, resolve));
  }

  clearBooks(): void {
    for (const list of Object.values(this.#books)) list.length = 0;
  }

  async close(): Promise<void> {
    await this.hub.hooks.close();
    this.#app.server.closeAllConnections();
    await this.#app.close();
    if (this.#ownFolder) await rm(this.hub.folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

const GIT_PATH = /^\/[^/]+\/[^/]+(\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)(\?|$)/;

/** An Enterprise server's prefix, and repositories by their id, are other spellings of the same routes. */
function rewrite(world: World, url: string): string {
  if (url === '/api/graphql') return '/graphql';
  const plain = url.startsWith('/api/v3/') ? url.slice('/api/v3'.length) : url;
  return plain.replace(/^\/repositories\/(\d+)/, (whole, id: string) => {
    const repository = world.repositories.get(Number(id));
    return repository === undefined || repository.deleted ? whole : `/repos/${fullName(repository)}`;
  });
}

function fastifyPath(path: string): string {
  return path
    .replace('/git/ref/{ref}', '/git/ref/*')
    .replace('/git/refs/{ref}', '/git/refs/*')
    .replaceAll(/\{(\w+)\}/g, ':$1');
}

function mountApi(app: FastifyInstance, machinery: Machinery): void {
  const routes = new Map(ALL_ROUTES.map((route) => [route.operation, route]));
  for (const { method, path, operation } of machinery.description.operations) {
    const route = routes.get(operation);
    if (route === undefined) throw new Error(`No handler for ${operation}.`);
    routes.delete(operation);
    app.route({
      method,
      url: fastifyPath(path),
      handler: async (request, reply) => {
        const redirect = redirectFor(machinery, request);
        if (redirect !== undefined)
          return await reply
            .code(redirect.status)
            .header('location', redirect.location)
            .send({ message: 'Moved Permanently', url: redirect.location });
        const params = request.params as Record<string, string>;
        if (params['*'] !== undefined) params['ref'] = params['*'];
        await handleApi(machinery, route, request, reply);
        return reply;
      },
    });
  }
  if (routes.size > 0) throw new Error(`Not in the cut description: ${[...routes.keys()].join(', ')}.`);
}

function mountFallback(app: FastifyInstance, machinery: Machinery): void {
  app.setNotFoundHandler(async (request, reply) => {
    if (GIT_PATH.test(request.url)) {
      await handleGit(machinery.hub, machinery.faults, request, reply);
      return;
    }
    const redirect = redirectFor(machinery, request);
    if (redirect !== undefined)
      return await reply
        .code(redirect.status)
        .header('location', redirect.location)
        .send({ message: 'Moved Permanently' });
    machinery.books.unexpected.push(`${request.method} ${request.originalUrl}`);
    return await reply
      .code(404)
      .send({ message: 'Not Found', documentation_url: 'https://docs.github.com/rest', status: '404' });
  });
}

/** Starts a GitHub of one's own on the loopback interface. */
export async function createGithubServer(options: GithubServerOptions = {}): Promise<GithubServer> {
  const world = new World();
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'github-server-')));
  const hooks = new Deliverer(world, options.webhookTimeoutMs);
  hooks.config = options.webhook;
  const hub: Hub = { world, urls: { html: '', api: '' }, folder, hooks, mergeableDelay: options.mergeableDelay ?? 1 };
  const machinery: Machinery = {
    hub,
    description: publishedDescription(),
    limits: new Limits({ ...GITHUB_LIMITS, ...options.limits }),
    faults: new Faults(),
    books: { requests: [], unexpected: [], violations: [], ownMistakes: [] },
  };
  const app = Fastify({
    rewriteUrl: (request) => rewrite(world, request.url ?? '/'),
    bodyLimit: 10 * 1024 * 1024,
    routerOptions: { maxParamLength: 500 },
  });
  app.addContentTypeParser(/^application\/x-git-/, (_request, _payload, done) => done(null));
  mountApi(app, machinery);
  app.post('/graphql', async (request, reply) => {
    await handleGraphql(machinery, request, reply);
    return reply;
  });
  mountPages(app, hub);
  mountFallback(app, machinery);
  await app.listen({ host: options.host ?? '127.0.0.1', port: options.port ?? 0 });
  const address = app.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  hub.urls.html = `http://127.0.0.1:${port}`;
  hub.urls.api = hub.urls.html;
  return new GithubServer(machinery, app, options.folder === undefined);
}
