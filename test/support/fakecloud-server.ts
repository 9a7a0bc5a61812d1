import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The fake cloud behind HTTP: `GET`, `PUT` and `DELETE` of `/objects/NAME`, with a token. */
export interface FakecloudServer extends AsyncDisposable {
  readonly endpoint: string;
  readonly token: string;
  readonly objects: Map<string, unknown>;
}

export async function startFakecloudServer(): Promise<FakecloudServer> {
  const objects = new Map<string, unknown>();
  const token = 'cloud-token-canary';
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const name = decodeURIComponent(/^\/objects\/([^/]+)$/.exec(request.url ?? '')?.[1] ?? '');
      if (request.headers.authorization !== `Bearer ${token}`) return response.writeHead(401).end('no token');
      if (request.method === 'PUT') objects.set(name, JSON.parse(Buffer.concat(chunks).toString()));
      else if (!objects.has(name)) return response.writeHead(404).end();
      if (request.method !== 'DELETE') return response.writeHead(200).end(JSON.stringify(objects.get(name)));
      objects.delete(name);
      return response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    objects,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
