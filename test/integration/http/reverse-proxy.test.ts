import { get, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HttpStage, signedDelivery, startHttpStage, WEB_TOKEN } from '../../support/http-stage.ts';

/** As a proxy on this machine passes on what came to it by TLS: the Host header kept, the client's address appended. */
const THROUGH = { host: 'holdfast.example', 'x-forwarded-proto': 'https' };

let stage: HttpStage;
beforeAll(async () => {
  stage = await startHttpStage({
    publicUrl: () => 'https://holdfast.example',
    allowedHosts: () => ['holdfast.example'],
  });
});
afterAll(() => stage[Symbol.asyncDispose]());

/** fetch does not let the Host header be chosen. */
async function ask(path: string, headers: Record<string, string>, at = stage): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(`${at.url}${path}`, { headers: { accept: 'text/html', ...THROUGH, ...headers } }, (response) => {
      response.resume();
      resolve(response);
    }).on('error', reject);
  });
}

async function post(path: string, body: string, headers: Record<string, string>, at = stage): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(`${at.url}${path}`, { method: 'POST', headers: { ...THROUGH, ...headers } }, (response) => {
      void text(response).then(() => resolve(response));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' };
const logIn = (token: string, from: string, at = stage) =>
  post('/login', `token=${token}&next=/locks`, { ...FORM, 'x-forwarded-for': from }, at);
const shut = async (from: string, at = stage) => {
  for (let i = 0; i < 10; i += 1) await logIn('wrong', from, at);
};

describe('behind a proxy that speaks TLS', () => {
  test('a browser logs in under the public name, with a cookie that goes over TLS only, and sees the pages', async () => {
    const response = await logIn(WEB_TOKEN, '203.0.113.5');
    expect([response.statusCode, response.headers.location]).toEqual([303, '/locks']);
    const [cookie = ''] = response.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(/^__Host-holdfast=[^;]+; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    const pages = await ask('/locks', { cookie: cookie.split(';')[0] ?? '' });
    expect(pages.statusCode).toBe(200);
  });

  test('another name is refused, and a proxy’s own word for the name changes nothing', async () => {
    expect((await ask('/login', { host: 'evil.example' })).statusCode).toBe(421);
    expect((await ask('/login', { host: 'evil.example', 'x-forwarded-host': 'holdfast.example' })).statusCode).toBe(
      421,
    );
    expect((await ask('/login', { 'x-forwarded-host': 'evil.example' })).statusCode).toBe(200);
  });

  test('who tries wrong tokens shuts out nobody else', async () => {
    await shut('203.0.113.66');
    expect((await logIn(WEB_TOKEN, '203.0.113.66')).statusCode).toBe(429);
    expect((await logIn(WEB_TOKEN, '203.0.113.5')).statusCode).toBe(303);
    // What a client claimed itself stands before what the proxy appended.
    expect((await logIn(WEB_TOKEN, '203.0.113.5, 203.0.113.66')).statusCode).toBe(429);
  });

  test('the log names the client', async () => {
    const { body, headers } = signedDelivery({}, { secret: 'not-the-secret' });
    const from = { 'x-forwarded-for': '198.51.100.7, 203.0.113.9' };
    expect((await post('/webhooks/github', String(body), { ...headers, ...from })).statusCode).toBe(401);
    expect(stage.logger.entries.at(-1)).toMatchObject({ level: 'warn', fields: { ip: '203.0.113.9' } });
  });

  test('what is no address is not taken for one', async () => {
    const { body, headers } = signedDelivery({}, { secret: 'not-the-secret' });
    await post('/webhooks/github', String(body), { ...headers, 'x-forwarded-for': 'x'.repeat(1000) });
    expect(stage.logger.entries.at(-1)).toMatchObject({ fields: { ip: '127.0.0.1' } });
  });
});

test('whoever is no trusted proxy cannot speak for others', async () => {
  await using own = await startHttpStage({ trustedProxies: ['10.0.0.0/8'], allowedHosts: () => ['holdfast.example'] });
  await shut('203.0.113.66', own);
  expect((await logIn(WEB_TOKEN, '203.0.113.5', own)).statusCode).toBe(429);
});
