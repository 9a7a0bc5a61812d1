import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createEmulator, type Emulator } from 'emulate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGithubHost } from '../../../src/adapters/github/github-host.ts';
import { usedEvents, usedPermissions } from '../../../src/adapters/github/permissions.ts';
import { createGithubWebhookSource } from '../../../src/adapters/github/webhook-source.ts';
import type { Repository } from '../../../src/core/repository.ts';
import { Secret } from '../../../src/lib/secret.ts';
import type { Delivery, VcsHost } from '../../../src/ports/vcs-host.ts';
import { silentLog } from '../../unit/adapters/github/fixtures.ts';

const SECRET = 'emulated secret';
const source = createGithubWebhookSource({ secrets: [new Secret(SECRET)], maxBytes: 1024 * 1024 });

let github: Emulator;
let receiver: Server;
let host: VcsHost;
let repository: Repository;
const verified: Delivery[] = [];
const refused: unknown[] = [];

/** The door: verifies what the emulator signed. */
function startReceiver(): Promise<Server> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const answer = await source.verify(headers, body);
    if ('delivery' in answer) verified.push({ ...answer.delivery, payload: body.toString() });
    else refused.push(answer.refusal);
    response.writeHead(202).end();
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/** The owner of the repository at work, with a token of their own. */
async function person(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const answer = await fetch(`${github.url}${path}`, {
    method,
    headers: { authorization: 'token acme-token', 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Record<string, unknown>;
}

async function openPullRequest(): Promise<number> {
  const repo = '/repos/acme/infra';
  const main = (await person('GET', `${repo}/git/ref/heads/main`)) as { object: { sha: string } };
  const tree = await person('POST', `${repo}/git/trees`, {
    tree: [{ path: 'main.tf', mode: '100644', type: 'blob', content: 'resource "x" "y" {}\n' }],
  });
  const commit = await person('POST', `${repo}/git/commits`, {
    message: 'm',
    tree: tree.sha,
    parents: [main.object.sha],
  });
  await person('POST', `${repo}/git/refs`, { ref: 'refs/heads/bucket', sha: commit.sha });
  return Number((await person('POST', `${repo}/pulls`, { title: 'Add', head: 'bucket', base: 'main' })).number);
}

function appHost(privateKey: string): VcsHost {
  return createGithubHost({
    apiUrl: github.url,
    cloneUrlTemplate: 'https://github.test/{owner}/{repo}.git',
    auth: { kind: 'app', appId: '4141', privateKey: new Secret(privateKey) },
    log: silentLog,
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

beforeAll(async () => {
  receiver = await startReceiver();
  const webhook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/webhooks/github`;
  const installations = [{ installation_id: 100, account: 'acme' }];
  const app = {
    app_id: 4141,
    slug: 'holdfast',
    name: 'Holdfast',
    permissions: usedPermissions,
    events: [...usedEvents],
  };
  const port = await freePort();
  github = await createEmulator({
    service: 'github',
    port,
    baseUrl: `http://127.0.0.1:${port}`,
    seed: {
      tokens: { 'acme-token': { login: 'acme', scopes: ['repo'] } },
      github: {
        users: [{ login: 'acme' }],
        repos: [{ owner: 'acme', name: 'infra' }],
        apps: [{ ...app, webhook_url: webhook, webhook_secret: SECRET, installations }],
      },
    },
  });
  host = appHost(github.generatedSecrets[0]?.value ?? '');
  const found = await host.findRepository('acme/infra');
  if (!found) throw new Error('the emulator has no repository');
  repository = found;
});

afterAll(async () => {
  await github.close();
  await new Promise((resolve) => receiver.close(resolve));
});

describe('another implementation of GitHub', () => {
  test("accepts the App's signature and gives a token for one repository", async () => {
    expect(repository).toMatchObject({ owner: 'acme', name: 'infra', defaultBranch: 'main' });
    expect((await host.getGitSource(repository)).password?.reveal()).toMatch(/^ghs_/);
  });

  test('refuses the signature of another key', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const stranger = appHost(privateKey.export({ type: 'pkcs1', format: 'pem' }).toString());
    await expect(stranger.findRepository('acme/infra')).rejects.toMatchObject({
      name: 'HostRefusedError',
      status: 401,
    });
    expect((await stranger.checkAccess()).join()).toMatch(/credential was refused/);
  });

  test('signs webhooks that the door believes, and that are understood', async () => {
    const number = await openPullRequest();
    const deadline = Date.now() + 5_000;
    const opened = () => verified.find((delivery) => delivery.event === 'pull_request');
    while (!opened() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    const delivery = opened();
    expect(refused).toEqual([]);
    if (!delivery) throw new Error('no delivery came');
    expect(await host.interpret(delivery)).toMatchObject({ kind: 'pull_request', change: 'opened', number });
  });

  test('takes facts and writes of the App', async () => {
    const [pull] = await host.listOpenPullRequests(repository);
    if (!pull) throw new Error('no pull request');
    expect(await host.getPullRequest(repository, pull.number)).toMatchObject({
      headRef: 'bucket',
      state: 'open',
      fork: false,
    });
    const comment = await host.createComment(repository, pull.number, 'planned');
    expect(await host.updateComment(repository, comment.id, 'planned again')).toBe(true);
    expect(await host.updateComment(repository, '999999', 'gone')).toBe(false);
    const id = await host.createCheckRun(repository, {
      name: 'holdfast',
      headSha: pull.headSha,
      externalId: 'b',
      url: 'https://h.test',
      status: 'completed',
      conclusion: 'success',
      title: 't',
      summary: 's',
      actions: [{ label: 'Apply', description: 'Applies', identifier: 'apply' }],
    });
    expect(id).toMatch(/^\d+$/);
  });
});
