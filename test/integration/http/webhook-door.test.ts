import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Delivery, type HttpStage, signedDelivery, startHttpStage } from '../../support/http-stage.ts';

const TIMEOUTS = { requestMs: 800, closeMs: 1_000 };
const MIB = 1024 * 1024;

let stage: HttpStage;
beforeAll(async () => {
  stage = await startHttpStage({ timeouts: TIMEOUTS });
});
afterAll(() => stage[Symbol.asyncDispose]());

const deliver = ({ body, headers }: Delivery, more: Record<string, string> = {}, at = stage) =>
  fetch(`${at.url}/webhooks/github`, { method: 'POST', body, headers: { ...headers, ...more } });
const stored = (id: string) => stage.deliveries.find('github.com', id);
const PAYLOAD = { action: 'opened', repository: { full_name: 'acme/infra' } };

/** Speaks over a bare connection: says `first`, then a byte whenever asked; resolves with all that was answered once it is closed. */
function speak(
  first: string,
  drip?: { readonly text: string; readonly everyMs: number },
): Promise<{ text: string; ms: number }> {
  const since = performance.now();
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(stage.url).port), '127.0.0.1');
    let text = '';
    const timer = drip && setInterval(() => socket.writable && socket.write(drip.text), drip.everyMs);
    const bound = setTimeout(() => socket.destroy(), 15_000);
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(timer);
      clearTimeout(bound);
      resolve({ text, ms: performance.now() - since });
    });
    socket.write(first);
  });
}

function rawHead(headers: Record<string, string>): string {
  const lines = Object.entries({ host: 'holdfast', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST /webhooks/github HTTP/1.1\r\n${lines.join('')}\r\n`;
}

describe('a delivery', () => {
  test('that is signed is stored before it is answered, and the event job is woken', async () => {
    const id = randomUUID();
    const response = await deliver(signedDelivery(PAYLOAD, { event: 'pull_request', id }));
    expect([response.status, await response.json()]).toEqual([202, { message: 'accepted' }]);
    expect(await stored(id)).toMatchObject({
      event: 'pull_request',
      action: 'opened',
      repository: 'acme/infra',
      state: 'received',
      payload: JSON.stringify(PAYLOAD),
    });
    expect(stage.jobs).toContain(`event ${JSON.stringify({ host: 'github.com', deliveryId: id })}`);
  });

  test('may be signed with any of the secrets', async () => {
    const delivery = signedDelivery(PAYLOAD, { secret: 'an-older-secret' });
    expect((await deliver(delivery)).status).toBe(202);
  });

  test('of an event we do not know is taken and does nothing more', async () => {
    expect((await deliver(signedDelivery({}, { event: 'something_new' }))).status).toBe(202);
  });

  test('that lacks fields is taken: what it lacks is found when it is handled', async () => {
    const id = randomUUID();
    expect((await deliver(signedDelivery({ action: 7, repository: [] }, { event: 'pull_request', id }))).status).toBe(
      202,
    );
    expect(await stored(id)).toMatchObject({ action: undefined, repository: undefined });
  });

  test('with texts that the record has no place for is stored without them', async () => {
    const id = randomUUID();
    const payload = { action: 'nul\0', repository: { full_name: '\ud800lone' } };
    expect((await deliver(signedDelivery(payload, { id }))).status).toBe(202);
    expect(await stored(id)).toMatchObject({
      action: undefined,
      repository: undefined,
      payload: JSON.stringify(payload),
    });
    const long = signedDelivery({ action: 'x'.repeat(MIB), repository: { full_name: `a/${'b'.repeat(MIB)}` } });
    expect((await deliver(long)).status).toBe(202);
  });

  const jobsFor = (id: string): number => stage.jobs.filter((job) => job.includes(id)).length;

  test('that comes again changes nothing, whether the first one waits or was handled', async () => {
    const id = randomUUID();
    const delivery = signedDelivery(PAYLOAD, { id });
    await deliver(delivery);
    const first = await stored(id);
    const again = await deliver(signedDelivery({ ...PAYLOAD, action: 'closed' }, { id }));
    expect([again.status, await again.json()]).toEqual([202, { message: 'known already, nothing to do' }]);
    expect([await stored(id), jobsFor(id)]).toEqual([first, 1]);
    await stage.deliveries.markHandled('github.com', id);
    await deliver(delivery);
    expect([(await stored(id))?.state, jobsFor(id)]).toEqual(['handled', 1]);
  });

  test('that comes again after the first one failed is handled again', async () => {
    const id = randomUUID();
    const delivery = signedDelivery(PAYLOAD, { id });
    await deliver(delivery);
    await stage.deliveries.markFailed('github.com', id, 'the host was down', true);
    await deliver(delivery);
    expect([(await stored(id))?.state, jobsFor(id)]).toEqual(['received', 2]);
  });

  test('ten times at once is one', async () => {
    const id = randomUUID();
    const delivery = signedDelivery(PAYLOAD, { id });
    const answers = await Promise.all(Array.from({ length: 10 }, () => deliver(delivery)));
    expect(answers.map((answer) => answer.status)).toEqual(Array.from({ length: 10 }, () => 202));
    expect(jobsFor(id)).toBe(1);
  });
});

describe('what is refused, and stored nowhere', () => {
  const good = signedDelivery(PAYLOAD);
  const without = (name: string): Delivery => ({
    body: good.body,
    headers: Object.fromEntries(Object.entries(good.headers).filter(([key]) => key !== name)),
  });
  const CASES: readonly (readonly [string, number, Delivery])[] = [
    ['no signature', 401, without('x-hub-signature-256')],
    ['a signature of another secret', 401, signedDelivery(PAYLOAD, { secret: 'wrong' })],
    ['a signature of another body', 401, { ...good, body: `${String(good.body)} ` }],
    ['a malformed signature', 401, { ...good, headers: { ...good.headers, 'x-hub-signature-256': 'sha256=zz' } }],
    ['only the outdated SHA-1 signature', 401, { ...without('x-hub-signature-256') }],
    ['no event', 400, without('x-github-event')],
    ['a hostile event', 400, { ...good, headers: { ...good.headers, 'x-github-event': '../push' } }],
    ['no delivery id', 400, without('x-github-delivery')],
    ['a delivery id without end', 400, { ...good, headers: { ...good.headers, 'x-github-delivery': 'a'.repeat(65) } }],
    ['a form', 415, { ...good, headers: { ...good.headers, 'content-type': 'application/x-www-form-urlencoded' } }],
    ['text', 415, { ...good, headers: { ...good.headers, 'content-type': 'text/plain' } }],
    ['an empty body', 400, signedDelivery('')],
    ['no JSON', 400, signedDelivery('{"action": ')],
    ['an array', 400, signedDelivery('[]')],
    ['a number', 400, signedDelivery('1e999')],
    ['null', 400, signedDelivery('null')],
    ['bytes that are no UTF-8', 400, signedDelivery(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]))],
    ['a raw NUL', 400, signedDelivery('{"a":"\0"}')],
  ];

  test.each(CASES)('%s: %i', async (_what, status, delivery) => {
    const before = await count();
    const response = await deliver(delivery);
    expect([response.status, await response.json()]).toEqual([status, { message: expect.any(String) }]);
    expect(await count()).toBe(before);
  });

  const count = async (): Promise<number> =>
    (await stage.database.db.selectFrom('deliveries').select('id').execute()).length;

  test('other methods and doors', async () => {
    expect((await fetch(`${stage.url}/webhooks/github`)).status).toBe(404);
    expect((await fetch(`${stage.url}/webhooks/other`, { method: 'POST' })).status).toBe(404);
  });
});

describe('a body without measure', () => {
  test('is refused by its announced length before it is read', async () => {
    const { headers } = signedDelivery(PAYLOAD);
    const { text, ms } = await speak(rawHead({ ...headers, 'content-length': String(3 * MIB + 1) }));
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expect(ms).toBeLessThan(TIMEOUTS.requestMs);
  });

  test('is refused by its announced length even from a stranger, and closes the connection', async () => {
    const { text } = await speak(rawHead({ 'content-type': 'application/json', 'content-length': String(900 * MIB) }));
    expect(text).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(text).toMatch(/connection: close/i);
  });

  test('is cut off while it is read when it announces nothing', async () => {
    const { headers } = signedDelivery(PAYLOAD);
    const head = rawHead({ ...headers, 'transfer-encoding': 'chunked' });
    const chunk = `${(MIB).toString(16)}\r\n${'x'.repeat(MIB)}\r\n`;
    const { text } = await speak(head + chunk.repeat(4));
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('of exactly the limit is taken', async () => {
    const frame = JSON.stringify({ filler: '' }).length;
    const delivery = signedDelivery({ filler: 'x'.repeat(3 * MIB - frame) });
    expect(Buffer.byteLength(delivery.body)).toBe(3 * MIB);
    expect((await deliver(delivery)).status).toBe(202);
    expect(
      (await deliver(signedDelivery({ filler: 'x'.repeat(3 * MIB - frame + 1) })).catch(() => ({ status: 413 })))
        .status,
    ).toBe(413);
  });

  test('with a length that is a lie is answered or dropped, and the next request is served', async () => {
    const { headers } = signedDelivery(PAYLOAD);
    for (const length of ['-1', '1e9', '0x10', '99999999999999999999', ''])
      expect((await speak(rawHead({ ...headers, 'content-length': length }))).text).toMatch(/^(?:HTTP\/1\.1 4|$)/);
    expect((await fetch(`${stage.url}/healthz`)).status).toBe(200);
  });
});

describe('a caller that is slow on purpose', () => {
  const inTime = TIMEOUTS.requestMs * 4;

  test('with its headers is hung up on', async () => {
    const { text, ms } = await speak('POST /webhooks/github HTTP/1.1\r\nhost: h\r\n', {
      text: 'x: y\r\n',
      everyMs: 100,
    });
    expect(ms).toBeLessThan(inTime);
    expect(text).toMatch(/^(?:HTTP\/1\.1 408 |$)/);
  });

  test('with its body is hung up on', async () => {
    const { headers } = signedDelivery(PAYLOAD);
    const { text, ms } = await speak(rawHead({ ...headers, 'content-length': '1000' }), { text: 'x', everyMs: 100 });
    expect(ms).toBeLessThan(inTime);
    expect(text).toMatch(/^(?:HTTP\/1\.1 408 |$)/);
  });

  test('that says nothing at all is hung up on', async () => {
    expect((await speak('')).ms).toBeLessThan(inTime);
  });

  test('does not hold up the others', async () => {
    const slow = Array.from({ length: 50 }, () =>
      speak('POST /webhooks/github HTTP/1.1\r\n', { text: 'x: y\r\n', everyMs: 100 }),
    );
    expect((await deliver(signedDelivery(PAYLOAD))).status).toBe(202);
    await Promise.all(slow);
  });
});

test('headers without end are refused', async () => {
  expect((await speak(rawHead({ 'x-long': 'x'.repeat(40_000) }))).text).toMatch(/^HTTP\/1\.1 431 /);
});

test('a delivery that cannot be stored is answered 503 without details, and is stored when it comes again', async () => {
  let down = true;
  const deliveries = {
    ...stage.deliveries,
    receive: (delivery: Parameters<typeof stage.deliveries.receive>[0]) =>
      down ? Promise.reject(new Error('connect ECONNREFUSED 10.0.0.9:5432')) : stage.deliveries.receive(delivery),
  };
  const [door] = stage.doors;
  await using other = await startHttpStage({ doors: [{ ...door, deliveries }] });
  const id = randomUUID();
  const delivery = signedDelivery(PAYLOAD, { id });
  const refused = await deliver(delivery, {}, other);
  expect(refused.status).toBe(503);
  expect(await refused.text()).not.toMatch(/10\.0\.0\.9|ECONNREFUSED/);
  down = false;
  expect((await deliver(delivery, {}, other)).status).toBe(202);
  expect((await stored(id))?.state).toBe('received');
});

test('a queue that takes nothing loses nothing: the delivery is stored and accepted', async () => {
  const [door] = stage.doors;
  const queue = { ...door.queue, enqueue: () => Promise.reject(new Error('redis is gone')) };
  await using other = await startHttpStage({ doors: [{ ...door, queue }] });
  const id = randomUUID();
  expect((await deliver(signedDelivery(PAYLOAD, { id }), {}, other)).status).toBe(202);
  expect((await stored(id))?.state).toBe('received');
});

test('when the server stops, a delivery that is on its way is still answered', async () => {
  const [door] = stage.doors;
  const deliveries = {
    ...stage.deliveries,
    receive: async (delivery: Parameters<typeof stage.deliveries.receive>[0]) => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      return stage.deliveries.receive(delivery);
    },
  };
  await using other = await startHttpStage({ doors: [{ ...door, deliveries }] });
  const answer = deliver(signedDelivery(PAYLOAD), {}, other);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const before = performance.now();
  await other.app.close();
  expect((await answer).status).toBe(202);
  // The connection is kept alive no longer than its answer.
  expect(performance.now() - before).toBeLessThan(4_000);
});

test('when the server stops, a caller that never ends its request does not hold it up', async () => {
  await using other = await startHttpStage({ timeouts: { requestMs: 60_000, closeMs: 500 } });
  const socket = connect(Number(new URL(other.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.write('POST /webhooks/github HTTP/1.1\r\nhost: h\r\n', () => resolve()));
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = performance.now();
  await other.app.close();
  expect(performance.now() - before).toBeLessThan(5_000);
  socket.destroy();
});
