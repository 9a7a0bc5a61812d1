import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface GitRequest {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  /** True for a request that asks for objects, not only for the list of refs. */
  readonly wantsObjects: boolean;
  /** Bytes of the answer's body so far. */
  answered: number;
}

export interface GitHttpOptions {
  /** `user:password`; none lets everybody in. */
  readonly credential?: string;
  /** Sends every request for a path to this origin instead. */
  readonly redirectTo?: string;
  /** PEM texts; with them it speaks HTTPS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Breaks the connection after so many bytes of an answer that carries objects. */
  readonly cutAfter?: number;
}

export interface GitHttpServer extends AsyncDisposable {
  readonly origin: string;
  readonly requests: GitRequest[];
  options: GitHttpOptions;
}

/** Serves the repositories below a folder over git's smart HTTP protocol through `git http-backend`, on loopback. */
export async function serveGit(folder: string, options: GitHttpOptions = {}): Promise<GitHttpServer> {
  const served: { options: GitHttpOptions } = { options };
  const requests: GitRequest[] = [];
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    void answer(folder, served.options, requests, request, response);
  };
  const server = options.tls ? createTlsServer(options.tls, onRequest) : createServer(onRequest);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(served, {
    origin: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

async function answer(
  folder: string,
  options: GitHttpOptions,
  requests: GitRequest[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await buffer(request);
  const { method = '', url = '' } = request;
  const wantsObjects = body.includes('command=fetch');
  const { authorization } = request.headers;
  const record: GitRequest = { method, url, authorization, wantsObjects, answered: 0 };
  requests.push(record);
  if (options.redirectTo !== undefined) {
    response.writeHead(302, { location: `${options.redirectTo}${url}` }).end();
    return;
  }
  const expected = options.credential && `Basic ${Buffer.from(options.credential).toString('base64')}`;
  if (expected && request.headers.authorization !== expected) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    return;
  }
  runBackend(folder, request, body, response, record, wantsObjects ? options.cutAfter : undefined);
}

/** CGI by hand: the answer's headers come first, up to an empty line. */
function runBackend(
  folder: string,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
  record: GitRequest,
  cutAfter: number | undefined,
): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://git.test');
  const backend = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env.PATH ?? '',
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      REQUEST_METHOD: request.method ?? 'GET',
      PATH_INFO: decodeURIComponent(pathname),
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: String(request.headers['content-encoding'] ?? ''),
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REMOTE_USER: 'x',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let head = Buffer.alloc(0);
  let inBody = false;
  backend.stdout.on('data', (chunk: Buffer) => {
    let rest = chunk;
    if (!inBody) {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      inBody = true;
      writeHead(head.toString('latin1', 0, end), response);
      rest = head.subarray(end + 4);
    }
    record.answered += rest.length;
    if (cutAfter !== undefined && record.answered > cutAfter) response.destroy();
    else response.write(rest);
  });
  backend.on('close', () => response.end());
  backend.stdin.on('error', () => {});
  backend.stdin.end(body);
}

function writeHead(text: string, response: ServerResponse): void {
  let status = 200;
  for (const line of text.split('\r\n')) {
    const [name = '', value = ''] = line.split(/: (.*)/);
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.writeHead(status);
}
