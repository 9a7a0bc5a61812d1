import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** What arrived, in order, for assertions. */
export interface StubRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface StubAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
  /** Never answers; for time-outs. */
  readonly hang?: boolean;
  /** Closes the connection instead of answering. */
  readonly drop?: boolean;
}

export type StubHandler = (request: StubRequest) => StubAnswer | undefined;

export interface GithubStub extends AsyncDisposable {
  readonly url: string;
  readonly requests: StubRequest[];
  /** `METHOD /path` without the query of each request. */
  calls(): readonly string[];
  close(): Promise<void>;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function listener(requests: StubRequest[], handler: StubHandler): RequestListener {
  return async (incoming, response) => {
    const request: StubRequest = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      headers: incoming.headers,
      body: await bodyOf(incoming),
    };
    requests.push(request);
    const answer = handler(request) ?? { status: 404, json: { message: 'Not Found' } };
    if (answer.hang) return;
    if (answer.drop) return void incoming.socket.destroy();
    const text = answer.text ?? (answer.json === undefined ? '' : JSON.stringify(answer.json));
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json; charset=utf-8', ...answer.headers });
    response.end(text);
  };
}

/** A server on loopback that answers what a test says; over TLS when it is given a key. */
export async function startGithubStub(handler: StubHandler, tls?: { key: string; cert: string }): Promise<GithubStub> {
  const requests: StubRequest[] = [];
  const handle = listener(requests, handler);
  const server: Server = tls ? createTlsServer(tls, handle) : createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    calls: () => requests.map(({ method, path }) => `${method} ${path.split('?')[0]}`),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** `{'GET /repos/o/r': answer}` as a handler; an answer may be a function, and a path is matched without its query. */
export function routes(table: Readonly<Record<string, StubAnswer | StubHandler>>): StubHandler {
  return (request) => {
    const answer = table[`${request.method} ${request.path.split('?')[0]}`];
    return typeof answer === 'function' ? answer(request) : answer;
  };
}
