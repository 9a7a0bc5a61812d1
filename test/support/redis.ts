import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { Redis } from 'ioredis';
import { Secret } from '../../src/lib/secret.ts';

export interface TestRedis {
  readonly url: Secret;
  /** As a crash would: nothing is written to disk. The port and the data written before stay. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Stops it and removes its folder. */
  close(): Promise<void>;
}

/** A Redis of a test's own on a loopback port, with a log of every write, so that a crash loses nothing that was acknowledged. */
export async function startRedis(settings: readonly string[] = []): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-test-redis-'));
  const port = await freePort();
  const url = new Secret(`redis://127.0.0.1:${port}/0`);
  let server: RedisProcess | undefined;

  const start = async () => {
    const persistence = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
    const memory = ['--maxmemory-policy', 'noeviction'];
    server = launch([
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      folder,
      ...memory,
      ...persistence,
      ...settings,
    ]);
    await untilAnswering(url, server);
  };
  const kill = async () => {
    server?.kill('SIGKILL');
    await server;
  };
  await start();
  return {
    url,
    start,
    kill,
    close: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type RedisProcess = ReturnType<typeof launch>;

function launch(args: readonly string[]) {
  return execa('redis-server', args, { reject: false });
}

async function untilAnswering(url: Secret, server: RedisProcess): Promise<void> {
  let ended: string | undefined;
  void server.then((result) => {
    ended =
      result.code === 'ENOENT'
        ? 'it is not installed; run: apt-get install redis-server'
        : `${result.stdout}${result.stderr}`;
  });
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (ended !== undefined) throw new Error(`redis-server does not start: ${ended}`);
    if (await answers(url)) return;
    await delay(25);
  }
  throw new Error('redis-server does not answer');
}

async function answers(url: Secret): Promise<boolean> {
  const client = new Redis(url.reveal(), { lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
