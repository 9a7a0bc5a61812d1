import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createOutboundDispatcher, type OutboundOptions } from '../../../src/lib/outbound-dispatcher.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { type GithubStub, routes, startGithubStub } from '../../support/github-stub.ts';
import { apiRepository, REF, tokenHost } from '../../unit/adapters/github/fixtures.ts';

let folder: string;
let tls: { key: string; cert: string };
let github: GithubStub;
let proxy: Server;
const tunnels: { readonly to: string; readonly auth: string | undefined }[] = [];
const sockets = new Set<Socket>();

async function selfSigned(): Promise<{ key: string; cert: string }> {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const command = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1'];
  await execa('openssl', [...command, '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert]).catch(
    (error: unknown) => {
      throw new Error('openssl is needed: apt-get install openssl', { cause: error });
    },
  );
  return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
}

function tunnelingProxy(): Server {
  const server = createServer((_request, response) => response.writeHead(501).end());
  server.on('connect', (request, client: Socket) => {
    tunnels.push({ to: request.url ?? '', auth: request.headers['proxy-authorization'] });
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
  });
  return server;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-tls-'));
  tls = await selfSigned();
  github = await startGithubStub(routes({ 'GET /api/v3/repos/acme/infra': { json: apiRepository } }), tls);
  proxy = tunnelingProxy();
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
});

afterEach(() => {
  tunnels.length = 0;
  vi.unstubAllEnvs();
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all([github.close(), new Promise((resolve) => proxy.close(resolve))]);
  await rm(folder, { recursive: true });
});

async function read(options: Partial<OutboundOptions>) {
  const dispatcher = createOutboundDispatcher({ proxyUrl: undefined, noProxy: [], ca: undefined, ...options });
  const host = tokenHost(`${github.url}/api/v3`, { dispatcher, timeoutMs: 5_000 });
  try {
    return await host.getRepository(REF);
  } finally {
    await dispatcher.destroy();
  }
}

const proxyUrl = () => new Secret(`http://ann:s%20ecret@127.0.0.1:${(proxy.address() as AddressInfo).port}`);

describe('an Enterprise Server with a certificate of its own', () => {
  test('is not trusted by itself', async () => {
    await expect(read({})).rejects.toMatchObject({
      name: 'HostUnavailableError',
      message: expect.stringMatching(/certificate/i),
    });
  });

  test('is trusted when its certificate is configured', async () => {
    expect(await read({ ca: tls.cert })).toMatchObject({ id: '7' });
    expect(tunnels).toHaveLength(0);
  });

  test('is reached through a proxy with the certificate and the password of the proxy', async () => {
    expect(await read({ ca: tls.cert, proxyUrl: proxyUrl() })).toMatchObject({ id: '7' });
    expect(tunnels).toEqual([
      { to: new URL(github.url).host, auth: `Basic ${Buffer.from('ann:s ecret').toString('base64')}` },
    ]);
    await expect(read({ proxyUrl: proxyUrl() })).rejects.toMatchObject({ name: 'HostUnavailableError' });
  });

  test('is reached past the proxy when it is excepted', async () => {
    expect(await read({ ca: tls.cert, proxyUrl: proxyUrl(), noProxy: ['127.0.0.1'] })).toMatchObject({ id: '7' });
    expect(tunnels).toHaveLength(0);
  });

  test('is reached as configured, whatever the environment says', async () => {
    for (const name of ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'])
      vi.stubEnv(name, 'http://127.0.0.1:1');
    vi.stubEnv('NO_PROXY', '*');
    expect(await read({ ca: tls.cert })).toMatchObject({ id: '7' });
    expect(await read({ ca: tls.cert, proxyUrl: proxyUrl() })).toMatchObject({ id: '7' });
    expect(tunnels).toHaveLength(1);
  });

  test('behind a proxy that is down is unavailable, not refused', async () => {
    await expect(read({ ca: tls.cert, proxyUrl: new Secret('http://127.0.0.1:1') })).rejects.toMatchObject({
      name: 'HostUnavailableError',
    });
  });
});
