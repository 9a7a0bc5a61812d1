import { setTimeout } from 'node:timers/promises';
import { execa } from 'execa';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Caller, grantCovers, identify, mayApp, sees } from './http/caller.ts';
import type { Faults } from './http/faults.ts';
import { needs } from './http/route.ts';
import type { Hub } from './hub.ts';
import { branchMoved } from './operations/branches.ts';
import { addAccount } from './operations/accounts.ts';
import type { Account, Repository } from './state/model.ts';
import { listRefs } from './state/git-store.ts';
import { atLeast, roleOf } from './state/permissions.ts';

interface GitRequest {
  readonly repository: Repository;
  /** `/info/refs`, `/git-upload-pack` or `/git-receive-pack`. */
  readonly service: string;
  readonly writes: boolean;
  readonly caller: Caller;
}

class GitRefusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Git's smart HTTP: `git http-backend` as a CGI program, behind the same accounts, roles and tokens as the API. */
export async function handleGit(hub: Hub, faults: Faults, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  try {
    await hitFaults(faults, request);
    const git = authorise(hub, request);
    const pushes = git.writes && request.method === 'POST';
    const before = pushes ? await listRefs(git.repository.gitDirectory) : undefined;
    await runBackend(git, request, reply, async () => {
      if (before !== undefined) await followPush(hub, git, before);
    });
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    const challenge = error.status === 401 ? { 'www-authenticate': 'Basic realm="GitHub"' } : {};
    await reply.code(error.status).headers(challenge).type('text/plain').send(error.message);
  }
}

async function hitFaults(faults: Faults, request: FastifyRequest): Promise<void> {
  const fault = faults.take(request.method, request.url.split('?')[0] ?? '');
  if (fault?.delayMs !== undefined) await setTimeout(fault.delayMs);
  if (faults.offline === 'reset' || fault?.dropConnection !== undefined) request.raw.socket.destroy();
  if (faults.offline !== false || fault?.dropConnection !== undefined) throw new GitRefusal(503, 'Service Unavailable');
  if (fault?.status !== undefined) throw new GitRefusal(fault.status, String(fault.body ?? 'Server Error'));
}

function callerOf(hub: Hub, request: FastifyRequest): Caller {
  try {
    return identify(hub.world, request.headers.authorization);
  } catch {
    throw new GitRefusal(
      401,
      'Invalid username or token. Password authentication is not supported for Git operations.',
    );
  }
}

function authorise(hub: Hub, request: FastifyRequest): GitRequest {
  const match = /^\/([^/]+)\/([^/]+?)(?:\.git)?(\/info\/refs|\/git-upload-pack|\/git-receive-pack)$/.exec(
    request.url.split('?')[0] ?? '',
  );
  const [, owner = '', name = '', service = ''] = match ?? [];
  const query = request.query as Record<string, string | undefined>;
  const writes = service === '/git-receive-pack' || query['service'] === 'git-receive-pack';
  const caller = callerOf(hub, request);
  const repository =
    hub.world.findRepository(owner, name) ?? hub.world.formerNames.get(`${owner}/${name}`.toLowerCase());
  const visible = repository !== undefined && sees(caller, repository);
  if (!visible || (writes && caller.kind === 'anonymous')) {
    if (caller.kind === 'anonymous') throw new GitRefusal(401, 'Repository not found.');
    throw new GitRefusal(404, 'Repository not found.');
  }
  if (!mayUse(caller, repository, writes))
    throw new GitRefusal(403, writes ? 'Permission to repository denied.' : 'Write access to repository not granted.');
  if (writes && repository.archived) throw new GitRefusal(403, 'This repository was archived so it is read-only.');
  return { repository, service, writes, caller };
}

function mayUse(caller: Caller, repository: Repository, writes: boolean): boolean {
  if (caller.kind === 'installation') {
    if (!repository.private && !writes) return true;
    return (
      grantCovers(caller.grant, repository) &&
      mayApp(caller.grant, needs('read', { contents: writes ? 'write' : 'read' }))
    );
  }
  if (caller.kind === 'app') return false;
  return atLeast(
    roleOf(repository, caller.kind === 'personal' ? caller.account : undefined),
    writes ? 'write' : 'read',
  );
}

/** Streams both ways: a pack can be large. A push is followed by its consequences before git sees the end of the answer. */
async function runBackend(
  git: GitRequest,
  request: FastifyRequest,
  reply: FastifyReply,
  beforeEnd: () => Promise<void>,
): Promise<void> {
  const url = new URL(request.url, 'http://localhost');
  const { headers } = request;
  const backend = execa('git', ['http-backend'], {
    encoding: 'buffer',
    buffer: false,
    stdin: 'pipe',
    reject: false,
    env: {
      GIT_PROJECT_ROOT: git.repository.gitDirectory,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      PATH_INFO: git.service,
      REQUEST_METHOD: request.method,
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
      ...(headers['content-length'] === undefined ? {} : { CONTENT_LENGTH: headers['content-length'] }),
      GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
      REMOTE_USER: git.caller.kind === 'anonymous' ? '' : 'git',
    },
  });
  reply.hijack();
  backend.stdin.on('error', () => undefined);
  request.raw.pipe(backend.stdin);
  request.raw.on('close', () => {
    if (!reply.raw.writableFinished && reply.raw.destroyed) backend.kill();
  });
  await relay(backend.stdout, reply);
  await backend;
  await beforeEnd();
  reply.raw.end();
}

/** CGI answers with headers, an empty line and the body. */
async function relay(output: AsyncIterable<unknown>, reply: FastifyReply): Promise<void> {
  let head = Buffer.alloc(0);
  let started = false;
  for await (const chunk of output) {
    if (started) {
      reply.raw.write(chunk as Buffer);
      continue;
    }
    head = Buffer.concat([head, chunk as Buffer]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) continue;
    started = true;
    writeHead(reply, head.subarray(0, end).toString('latin1'));
    reply.raw.write(head.subarray(end + 4));
  }
  if (!started) reply.raw.writeHead(500);
}

function writeHead(reply: FastifyReply, head: string): void {
  const fields = head.split('\r\n').map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  const status = Number(fields.find(([name]) => name === 'status')?.[1].slice(0, 3) ?? 200);
  reply.raw.writeHead(status, Object.fromEntries(fields.filter(([name]) => name !== 'status')));
}

async function followPush(hub: Hub, git: GitRequest, before: ReadonlyMap<string, string>): Promise<void> {
  const after = await listRefs(git.repository.gitDirectory);
  const actor = pusherOf(hub, git.caller);
  for (const ref of new Set([...before.keys(), ...after.keys()])) {
    if (!ref.startsWith('refs/heads/') || before.get(ref) === after.get(ref)) continue;
    await branchMoved(hub, git.repository, {
      branch: ref.slice('refs/heads/'.length),
      before: before.get(ref),
      after: after.get(ref),
      actor,
    });
  }
}

function pusherOf(hub: Hub, caller: Caller): Account {
  return caller.kind === 'personal' || caller.kind === 'installation' ? caller.account : addAccount(hub, 'ghost');
}
