import { describe, expect, test } from 'vitest';
import type { App, Installation } from '../../../servers/github/state/model.ts';
import { type Client, clientOf, jwtOf, REPO, type SmallGithub, smallGithub } from './small-github.ts';

const PERMISSIONS = { contents: 'read', pull_requests: 'write', checks: 'write', statuses: 'write' } as const;
const EVENTS = ['pull_request', 'issue_comment', 'check_run', 'check_suite'];

function withApp(small: SmallGithub): { app: App; installation: Installation; asApp: Client } {
  const app = small.github.createApp({ name: 'Hold Fast', owner: 'acme', permissions: PERMISSIONS, events: EVENTS });
  const installation = small.github.installApp(app, 'acme');
  return { app, installation, asApp: clientOf(small.github.apiUrl, jwtOf(app)) };
}

async function tokenOf(asApp: Client, installation: Installation, body: unknown = {}): Promise<string> {
  const answer = await asApp('POST', `/app/installations/${installation.id}/access_tokens`, body);
  expect(answer.status).toBe(201);
  return String(answer.body['token']);
}

describe('the JSON web token', () => {
  test.each([
    ['expired', { exp: 1 }],
    ['too far ahead', { exp: Math.floor(Date.now() / 1000) + 3_600 }],
    ['issued in the future', { iat: Math.floor(Date.now() / 1000) + 600 }],
    ['of another app', { iss: 1 }],
  ])('%s is 401', async (_name, claims) => {
    await using small = await smallGithub();
    const { app } = withApp(small);
    expect((await clientOf(small.github.apiUrl, jwtOf(app, claims))('GET', '/app')).status).toBe(401);
  });

  test('signed by another key, or with another algorithm, is 401; a good one is the app', async () => {
    await using small = await smallGithub();
    const { app, asApp } = withApp(small);
    const other = small.github.createApp({ name: 'Other', owner: 'acme', permissions: {}, events: [] });
    const forged = jwtOf({ ...other, id: app.id });
    expect((await clientOf(small.github.apiUrl, forged)('GET', '/app')).status).toBe(401);
    expect((await clientOf(small.github.apiUrl, jwtOf(app, {}, 'none'))('GET', '/app')).status).toBe(401);
    expect((await asApp('GET', '/app')).body).toMatchObject({ id: app.id, slug: 'hold-fast' });
    expect((await small.api('GET', '/app')).status).toBe(401);
  });
});

describe('installation tokens', () => {
  test('see what the installation was given, and no more than was asked for', async () => {
    await using small = await smallGithub();
    const { installation, asApp } = withApp(small);
    const other = await small.github.createRepository({ owner: 'acme', name: 'other', files: { a: '' } });
    const wide = clientOf(small.github.apiUrl, await tokenOf(asApp, installation));
    expect((await wide('GET', '/installation/repositories')).body['total_count']).toBe(2);
    const narrow = clientOf(
      small.github.apiUrl,
      await tokenOf(asApp, installation, { repository_ids: [other.id], permissions: { contents: 'read' } }),
    );
    expect((await narrow('GET', REPO)).status).toBe(404);
    expect((await narrow('GET', '/repos/acme/other')).status).toBe(200);
    const refused = await narrow('GET', '/repos/acme/other/pulls');
    expect(refused.status).toBe(403);
    expect(refused.body['message']).toBe('Resource not accessible by integration');
    expect(refused.headers.get('x-accepted-github-permissions')).toBe('pull_requests=read');
  });

  test('cannot be asked for more than was granted', async () => {
    await using small = await smallGithub();
    const { installation, asApp } = withApp(small);
    const path = `/app/installations/${installation.id}/access_tokens`;
    expect((await asApp('POST', path, { permissions: { contents: 'write' } })).status).toBe(422);
    expect((await asApp('POST', path, { permissions: { administration: 'read' } })).status).toBe(422);
    const foreign = await small.github.createRepository({ owner: 'someone', name: 'else', files: { a: '' } });
    expect((await asApp('POST', path, { repository_ids: [foreign.id] })).status).toBe(422);
    expect((await asApp('POST', '/app/installations/1/access_tokens')).status).toBe(404);
  });

  test('end with their hour, with the suspension, and lose what the installation loses', async () => {
    await using small = await smallGithub();
    const { installation, asApp } = withApp(small);
    const token = await tokenOf(asApp, installation);
    const api = clientOf(small.github.apiUrl, token);
    const status = () => api('POST', `${REPO}/statuses/${small.pull.headSha}`, { state: 'success' });
    expect((await status()).status).toBe(201);
    installation.permissions = { metadata: 'read', statuses: 'read' };
    expect((await status()).status).toBe(403);
    const grant = small.github.hub.world.installationTokens.get(token);
    if (grant !== undefined) small.github.hub.world.installationTokens.set(token, { ...grant, expiresAt: new Date(0) });
    expect((await status()).status).toBe(401);
    installation.suspendedAt = new Date();
    expect((await asApp('POST', `/app/installations/${installation.id}/access_tokens`)).status).toBe(403);
  });

  test('merging needs contents: write', async () => {
    await using small = await smallGithub();
    const { installation, asApp } = withApp(small);
    const api = clientOf(small.github.apiUrl, await tokenOf(asApp, installation));
    const refused = await api('PUT', `${REPO}/pulls/1/merge`, {});
    expect([refused.status, refused.headers.get('x-accepted-github-permissions')]).toEqual([403, 'contents=write']);
  });

  test('a comment by an App carries its App', async () => {
    await using small = await smallGithub();
    const { app, installation, asApp } = withApp(small);
    const api = clientOf(small.github.apiUrl, await tokenOf(asApp, installation));
    const { body } = await api('POST', `${REPO}/issues/1/comments`, { body: 'x' });
    expect(body).toMatchObject({
      performed_via_github_app: { id: app.id },
      user: { login: 'hold-fast[bot]', type: 'Bot' },
    });
  });
});

describe('check runs', () => {
  const run = (sha: string) => ({ name: 'Holdfast', head_sha: sha, status: 'completed', conclusion: 'success' });
  const button = { label: 'Apply', description: 'Apply the plans', identifier: 'apply' };

  test('are written by Apps only, and changed by the one that made them', async () => {
    await using small = await smallGithub();
    const { installation, asApp } = withApp(small);
    expect((await small.api('POST', `${REPO}/check-runs`, run(small.pull.headSha))).status).toBe(403);
    const api = clientOf(small.github.apiUrl, await tokenOf(asApp, installation));
    const { body } = await api('POST', `${REPO}/check-runs`, run(small.pull.headSha));
    const other = small.github.createApp({
      name: 'Other',
      owner: 'acme',
      permissions: { checks: 'write' },
      events: [],
    });
    const otherToken = await tokenOf(
      clientOf(small.github.apiUrl, jwtOf(other)),
      small.github.installApp(other, 'acme'),
    );
    const patch = `${REPO}/check-runs/${body['id']}`;
    expect((await clientOf(small.github.apiUrl, otherToken)('PATCH', patch, { conclusion: 'failure' })).status).toBe(
      403,
    );
    expect((await api('PATCH', patch, { conclusion: 'failure' })).body['conclusion']).toBe('failure');
    expect((await small.api('GET', `${REPO}/commits/${small.pull.headSha}/check-runs`)).body['total_count']).toBe(1);
  });

  test.each([
    ['four buttons', { actions: [button, button, button, button] }],
    ['a label of 21 characters', { actions: [{ ...button, label: 'x'.repeat(21) }] }],
    ['a description of 41', { actions: [{ ...button, description: 'x'.repeat(41) }] }],
    ['an identifier of 21', { actions: [{ ...button, identifier: 'x'.repeat(21) }] }],
    ['a summary of 65,536', { output: { title: 't', summary: 'x'.repeat(65_536) } }],
  ])('%s is 422', async (_name, change) => {
    await using small = await smallGithub();
    const { installation, asApp } = withApp(small);
    const api = clientOf(small.github.apiUrl, await tokenOf(asApp, installation));
    const answer = await api('POST', `${REPO}/check-runs`, { ...run(small.pull.headSha), ...change });
    expect(answer.status).toBe(422);
  });

  test('completed needs a conclusion, and an unknown commit is refused', async () => {
    await using small = await smallGithub();
    const { installation, asApp } = withApp(small);
    const api = clientOf(small.github.apiUrl, await tokenOf(asApp, installation));
    const bare = { name: 'x', head_sha: small.pull.headSha, status: 'completed' };
    expect((await api('POST', `${REPO}/check-runs`, bare)).status).toBe(422);
    expect((await api('POST', `${REPO}/check-runs`, run('1'.repeat(40)))).status).toBe(422);
  });
});

describe('teams', () => {
  test('membership is told to those who may read members', async () => {
    await using small = await smallGithub();
    const team = small.github.createTeam('company', 'platform', ['ann']);
    team.members.set(small.github.createUser('bob').id, 'pending');
    const path = '/orgs/company/teams/platform/memberships';
    expect((await small.api('GET', `${path}/ann`)).body['state']).toBe('active');
    expect((await small.api('GET', `${path}/bob`)).body['state']).toBe('pending');
    expect((await small.api('GET', `${path}/eve`)).status).toBe(404);
    const { installation, asApp } = withApp(small);
    const api = clientOf(small.github.apiUrl, await tokenOf(asApp, installation));
    expect((await api('GET', `${path}/ann`)).status).toBe(403);
  });
});
