import { get } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HttpStage, startHttpStage, WEB_TOKEN } from '../../support/http-stage.ts';

let stage: HttpStage;
beforeAll(async () => {
  stage = await startHttpStage();
});
afterAll(() => stage[Symbol.asyncDispose]());

const HTML = { accept: 'text/html,application/xhtml+xml' };
const ask = (path: string, init: RequestInit = {}, at = stage) =>
  fetch(`${at.url}${path}`, { redirect: 'manual', ...init });
const post = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}, at = stage) =>
  ask(path, { method: 'POST', body: new URLSearchParams(fields), headers: { ...HTML, ...headers } }, at);
const cookieOf = (response: Response): string => response.headers.getSetCookie()[0] ?? '';

/** fetch does not let the Host header be chosen. */
function statusUnder(host: string, path: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(`${stage.url}${path}`, { headers: { host, ...headers } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });
}

describe('a stranger', () => {
  test.each([
    '/',
    '/runs',
    '/runs/x',
    '/runs/x/log',
    '/runs/x/events',
    '/runs/x/errored.tfstate',
    '/locks',
    '/metrics',
  ])('in a browser is sent to the login and back: %s', async (path) => {
    const response = await ask(path, { headers: HTML });
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe(`/login?next=${encodeURIComponent(path)}`);
  });

  test.each(['/runs', '/metrics'])('with a program is told what is needed: %s', async (path) => {
    const response = await ask(path);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="holdfast"');
    expect(await response.json()).toEqual({ message: expect.stringContaining('Authorization: Bearer') });
  });

  test('cannot change anything', async () => {
    expect((await post('/locks/release?project=x&pull=y', {})).status).toBe(401);
    expect((await post('/logout', {})).status).toBe(403);
  });

  test('learns from the health routes yes or no, and the one with the token what is wrong', async () => {
    expect(await (await ask('/healthz')).json()).toEqual({ status: 'ok' });
    expect(await (await ask('/readyz')).json()).toEqual({ status: 'ready' });
    stage.problems.push('the queue does not answer');
    const anonymous = await ask('/readyz');
    const known = await ask('/readyz', { headers: { authorization: `Bearer ${WEB_TOKEN}` } });
    stage.problems.length = 0;
    expect(anonymous.status).toBe(503);
    expect(await anonymous.json()).toEqual({ status: 'not ready' });
    expect(await known.json()).toEqual({ status: 'not ready', problems: ['the queue does not answer'] });
  });
});

describe('the login', () => {
  test('by form sets a cookie that scripts and other sites cannot use, and leads on', async () => {
    const response = await post('/login', { token: WEB_TOKEN, next: '/locks' });
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe('/locks');
    expect(cookieOf(response)).toMatch(/^holdfast=[^;]+; Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax$/);
    const cookie = cookieOf(response).split(';')[0] ?? '';
    expect((await ask('/locks', { headers: { ...HTML, cookie } })).status).toBe(200);
    expect((await ask('/login', { headers: { ...HTML, cookie } })).headers.get('location')).toBe('/runs');
  });

  test('by link takes the token out of the address', async () => {
    const response = await ask(`/login?token=${WEB_TOKEN}&next=/runs?pull=x`, { headers: HTML });
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe('/runs?pull=x');
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    expect(cookieOf(response)).toContain('HttpOnly');
  });

  test('leads to no other site', async () => {
    for (const next of ['https://evil.example/', '//evil.example', '/\\evil.example', '/\t/evil.example']) {
      expect((await post('/login', { token: WEB_TOKEN, next })).headers.get('location')).toBe('/runs');
    }
  });

  test('with a wrong token says so, sets no cookie, and repeats neither token nor address unescaped', async () => {
    const response = await post('/login', { token: '<b>wrong', next: '/runs?"><script>' });
    expect(response.status).toBe(401);
    expect(response.headers.getSetCookie()).toEqual([]);
    const html = await response.text();
    expect(html).toContain('That is not the token.');
    expect(html).not.toMatch(/wrong|"><script>/);
  });

  test('is over TLS bound to it when the public address is', async () => {
    await using secure = await startHttpStage({ publicUrl: () => 'https://holdfast.example' });
    const response = await post('/login', { token: WEB_TOKEN }, {}, secure);
    expect(cookieOf(response)).toMatch(/^__Host-holdfast=.*Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  });

  test('is ended by the form of its own session alone', async () => {
    const cookie = cookieOf(await post('/login', { token: WEB_TOKEN })).split(';')[0] ?? '';
    const csrf =
      /name="csrf" value="([^"]+)"/.exec(await (await ask('/locks', { headers: { ...HTML, cookie } })).text())?.[1] ??
      '';
    const other = cookieOf(await post('/login', { token: WEB_TOKEN })).split(';')[0] ?? '';
    expect((await post('/logout', { csrf: 'x' }, { cookie })).status).toBe(403);
    expect((await post('/logout', { csrf }, { cookie: other })).status).toBe(403);
    expect((await ask('/runs', { headers: { ...HTML, cookie } })).status).toBe(200);
    const response = await post('/logout', { csrf }, { cookie });
    expect(response.headers.get('location')).toBe('/login');
    expect(cookieOf(response)).toMatch(/^holdfast=; Max-Age=0;/);
    // A copy of the cookie is worth nothing any more, and other logins go on.
    expect((await ask('/runs', { headers: { ...HTML, cookie } })).status).toBe(303);
    expect((await ask('/login', { headers: { ...HTML, cookie } })).status).toBe(200);
    expect((await ask('/runs', { headers: { ...HTML, cookie: other } })).status).toBe(200);
  });

  test('is closed for a while after ten wrong tokens, by form, link and header alike; sessions go on', async () => {
    await using own = await startHttpStage();
    await own.logIn();
    for (let i = 0; i < 4; i += 1) await post('/login', { token: `wrong-${i}` }, {}, own);
    for (let i = 0; i < 3; i += 1) await ask(`/login?token=wrong-${i}`, { headers: HTML }, own);
    for (let i = 0; i < 3; i += 1) await ask('/metrics', { headers: { authorization: `Bearer wrong-${i}` } }, own);
    const closed = await post('/login', { token: WEB_TOKEN }, {}, own);
    expect(closed.status).toBe(429);
    expect(Number(closed.headers.get('retry-after'))).toBeGreaterThan(50);
    expect(await closed.text()).toContain('Too many wrong tokens');
    expect((await ask('/metrics', { headers: { authorization: `Bearer ${WEB_TOKEN}` } }, own)).status).toBe(429);
    expect((await own.get('/runs')).status).toBe(200);
  });
});

describe('a program', () => {
  test('reads metrics and pages with the token in a header', async () => {
    const headers = { authorization: `bearer ${WEB_TOKEN}` };
    const metrics = await ask('/metrics', { headers });
    expect([metrics.status, await metrics.text()]).toEqual([200, 'holdfast_up 1\n']);
    expect((await ask('/runs', { headers })).status).toBe(200);
    expect((await ask('/metrics', { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    expect((await ask('/metrics', { headers: { authorization: `Basic ${WEB_TOKEN}` } })).status).toBe(401);
  });

  test('finds no metrics here when they have a listener of their own', async () => {
    await using own = await startHttpStage({ metricsNeedToken: false });
    expect((await ask('/metrics', { headers: { authorization: `Bearer ${WEB_TOKEN}` } }, own)).status).toBe(404);
  });
});

describe('the host name', () => {
  test('is one of ours, in any case, or nothing is shown: not even the login', async () => {
    const cookie = await stage.logIn();
    const own = new URL(stage.url).host;
    expect(await statusUnder(own, '/runs', { cookie })).toBe(200);
    expect(await statusUnder('Holdfast.Example', '/runs', { cookie })).toBe(200);
    for (const path of ['/runs', '/locks', '/login', `/login?token=${WEB_TOKEN}`, '/static/style.css']) {
      expect(await statusUnder('rebound.evil.example', path, { cookie })).toBe(421);
    }
  });

  test('does not matter to what a browser cannot be tricked into: health, webhooks, a program with the token', async () => {
    expect(await statusUnder('10.0.0.7:4141', '/healthz')).toBe(200);
    expect(await statusUnder('10.0.0.7:4141', '/metrics', { authorization: `Bearer ${WEB_TOKEN}` })).toBe(200);
  });
});

describe('every answer', () => {
  test.each(['/runs', '/login', '/nowhere', '/healthz', '/static/style.css'])(
    'has the security headers: %s',
    async (path) => {
      const { headers } = await stage.get(path);
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    },
  );

  test('that shows something is kept by no cache, and the looks are only asked for again', async () => {
    expect((await stage.get('/runs')).headers.get('cache-control')).toBe('no-store');
    const style = await stage.get('/static/style.css');
    const etag = style.headers.get('etag') ?? '';
    expect([style.status, style.headers.get('cache-control')]).toEqual([200, 'no-cache']);
    expect((await stage.get('/static/style.css', { headers: { 'if-none-match': etag } })).status).toBe(304);
  });

  test('to an unknown address is a page for people and JSON for programs', async () => {
    const page = await stage.get('/static/..%2fview.ts');
    expect([page.status, page.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
    expect(await (await ask('/nowhere')).json()).toEqual({ message: 'There is nothing at this address.' });
  });

  test('to a form that is too long or no form is a refusal', async () => {
    expect((await post('/login', { token: 'x'.repeat(20_000) })).status).toBe(413);
    const json = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } };
    expect((await ask('/login', json)).status).toBe(415);
  });
});
