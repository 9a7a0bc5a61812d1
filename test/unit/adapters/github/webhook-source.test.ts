import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createGithubWebhookSource } from '../../../../src/adapters/github/webhook-source.ts';
import { Secret } from '../../../../src/lib/secret.ts';

const secrets = [new Secret('new secret'), new Secret("It's a Secret to Everybody")];
const source = createGithubWebhookSource({ secrets, maxBytes: 1_000 });

function sign(body: string | Buffer, secret = 'new secret'): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

function headersFor(body: string | Buffer, secret?: string): Record<string, string> {
  return {
    'content-type': 'application/json',
    'x-github-event': 'pull_request',
    'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
    'x-hub-signature-256': sign(body, secret),
    'content-length': String(body.length),
  };
}

async function statusOf(headers: Record<string, string | undefined>, body: string | Buffer) {
  const answer = await source.verify(headers, Buffer.from(body));
  return 'refusal' in answer ? answer.refusal.status : 202;
}

const good = JSON.stringify({ action: 'opened', repository: { full_name: 'acme/infra' } });

describe('a signed delivery', () => {
  test('is believed, whichever of the secrets signed it', async () => {
    const delivery = {
      id: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
      event: 'pull_request',
      action: 'opened',
      repository: 'acme/infra',
    };
    expect(await source.verify(headersFor(good), Buffer.from(good))).toEqual({ delivery });
    expect(await source.verify(headersFor(good, "It's a Secret to Everybody"), Buffer.from(good))).toEqual({
      delivery,
    });
  });

  test('may name no repository and no action', async () => {
    const answer = await source.verify(
      headersFor('{"zen":1,"action":7,"repository":[]}'),
      Buffer.from('{"zen":1,"action":7,"repository":[]}'),
    );
    expect(answer).toMatchObject({ delivery: { action: undefined, repository: undefined } });
  });

  test("fits GitHub's published example of a signature", async () => {
    const headers = {
      ...headersFor('Hello, World!', "It's a Secret to Everybody"),
      'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
    };
    expect(await source.verify(headers, Buffer.from('Hello, World!'))).toMatchObject({
      refusal: { status: 400, reason: expect.stringContaining('JSON object') },
    });
  });

  test('keeps characters beyond ASCII and a byte order mark apart', async () => {
    const text = JSON.stringify({ action: 'öffnen 🌍' });
    expect(await statusOf(headersFor(text), text)).toBe(202);
    expect(await statusOf(headersFor(text), `\uFEFF${text}`)).toBe(401);
  });
});

describe('what a stranger sends is refused', () => {
  test.each([
    ['another secret', { 'x-hub-signature-256': sign(good, 'guess') }, 401],
    ['no signature', { 'x-hub-signature-256': undefined }, 401],
    ['a SHA-1 signature', { 'x-hub-signature-256': `sha1=${'0'.repeat(40)}` }, 401],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['no content type', { 'content-type': undefined }, 415],
    ['no event', { 'x-github-event': undefined }, 400],
    ['an event that is none', { 'x-github-event': '../../etc' }, 400],
    ['no delivery id', { 'x-github-delivery': '' }, 400],
    ['an endless delivery id', { 'x-github-delivery': 'a'.repeat(65) }, 400],
    ['a declared size above the cap', { 'content-length': '1001' }, 413],
  ])('%s', async (_name, change, status) => {
    const headers = { ...headersFor(good), ...change };
    expect(await statusOf(headers, good)).toBe(status);
    const early = source.checkHeaders(headers)?.status;
    expect(early).toBe(_name === 'another secret' ? undefined : status);
  });

  test.each([
    ['a body above the cap', `"${'x'.repeat(1_000)}"`, 413],
    ['an empty body', '', 400],
    ['cut JSON', good.slice(0, -3), 400],
    ['a JSON array', '[]', 400],
    ['JSON null', 'null', 400],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 400],
  ])('%s', async (_name, body, status) => {
    const headers = { ...headersFor(body), 'content-length': '10' };
    expect(await statusOf(headers, body)).toBe(status);
  });

  test('one changed byte is enough', async () => {
    const body = Buffer.from(good);
    for (let at = 0; at < body.length; at += 1) {
      const forged = Buffer.from(body);
      forged[at] = (forged[at] ?? 0) ^ 1;
      expect([400, 401]).toContain(await statusOf(headersFor(body), forged));
    }
  });

  test('whatever it is, without an exception', async () => {
    const header = fc.option(fc.string({ maxLength: 80 }), { nil: undefined });
    const headers = fc.record({
      'content-type': fc.oneof(header, fc.constant('application/json')),
      'x-github-event': fc.oneof(header, fc.constant('push')),
      'x-github-delivery': fc.oneof(header, fc.constant('id')),
      'x-hub-signature-256': fc.oneof(header, fc.constant(`sha256=${'0'.repeat(64)}`)),
      'content-length': header,
    });
    await fc.assert(
      fc.asyncProperty(headers, fc.uint8Array({ maxLength: 200 }), async (some, body) => {
        const answer = await source.verify(some, Buffer.from(body));
        expect('refusal' in answer).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('without a secret', () => {
  test('nothing is started', () => {
    expect(() => createGithubWebhookSource({ secrets: [], maxBytes: 1 })).toThrow(/secret is needed/);
    expect(() => createGithubWebhookSource({ secrets: [new Secret('')], maxBytes: 1 })).toThrow(/secret is needed/);
  });
});
