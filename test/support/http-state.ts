import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Terraform's `http` backend, with the answers a test wants. */
export interface HttpState extends AsyncDisposable {
  /** For a `backend "http"` block. */
  readonly configuration: string;
  state: string | undefined;
  /** Lock info of a holder that never lets go. */
  heldBy: Readonly<Record<string, string>> | undefined;
  refuseWrites: boolean;
}

export async function startHttpState(): Promise<HttpState> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method === 'LOCK' && backend.heldBy) response.writeHead(423).end(JSON.stringify(backend.heldBy));
      else if (request.method === 'GET') response.writeHead(backend.state === undefined ? 404 : 200).end(backend.state);
      else if (request.method === 'POST' && backend.refuseWrites) response.writeHead(409).end();
      else {
        if (request.method === 'POST') backend.state = Buffer.concat(chunks).toString();
        response.writeHead(200).end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/state`;
  const backend: HttpState = {
    configuration: `backend "http" {
      address        = "${address}"
      lock_address   = "${address}"
      unlock_address = "${address}"
      username       = "state"
      password       = "backend-canary-secret"
    }`,
    state: undefined,
    heldBy: undefined,
    refuseWrites: false,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return backend;
}
