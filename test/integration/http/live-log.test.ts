import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ClaimedRun } from '../../../src/ports/run-store.ts';
import { type HttpStage, print, recordRuns, startHttpStage, startNextRun } from '../../support/http-stage.ts';
import { until } from '../../support/until.ts';

/** Long enough for a busy machine to answer, short enough to be waited out. */
const TIMEOUTS = { requestMs: 2_000, closeMs: 5_000 };

let stage: HttpStage;
beforeEach(async () => {
  stage = await startHttpStage({ timeouts: TIMEOUTS });
});
afterEach(() => stage[Symbol.asyncDispose]());

interface Watcher {
  readonly response: Response;
  /** Everything that has come so far. */
  received(): string;
  readonly ended: Promise<void>;
  leave(): void;
}

async function watch(path: string, headers: Record<string, string> = {}): Promise<Watcher> {
  const leaving = new AbortController();
  const response = await stage.get(path, { headers, signal: leaving.signal });
  let received = '';
  const ended = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) received += decoder.decode(chunk as Uint8Array, { stream: true });
  })().catch((error: unknown) => {
    if (!leaving.signal.aborted) throw error;
  });
  return { response, received: () => received, ended, leave: () => leaving.abort() };
}

const has = (watcher: Watcher, text: string) => until(() => watcher.received().includes(text) || undefined, 10_000);
const dataOf = (received: string): string =>
  received
    .split('\n\n')
    .filter((event) => event.startsWith('id: '))
    .flatMap((event) => event.split('\n').slice(1))
    .map((line) => line.replace(/^data: /, ''))
    .join('\n');
const lastId = (received: string): string => [...received.matchAll(/^id: (.+)$/gm)].at(-1)?.[1] ?? '';
const eventsUrl = async (run: ClaimedRun): Promise<string> =>
  (/data-events="([^"]+)"/.exec(await (await stage.get(`/runs/${run.id}`)).text())?.[1] ?? '').replaceAll(
    '&#x3D;',
    '=',
  );

async function finish(run: ClaimedRun): Promise<void> {
  await stage.runs.finish(run.lease, {
    state: 'cancelled',
    result: { kind: 'cancelled', reason: 'enough' },
    phases: [],
  });
}

describe('a live log', () => {
  test('goes on where the page ended, says how far the run is, and ends with it', async () => {
    await recordRuns(stage);
    const run = await startNextRun(stage);
    await print(stage, run, 0, 'on the page\n');
    const watcher = await watch(await eventsUrl(run));
    expect(watcher.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(watcher.response.headers.get('x-accel-buffering')).toBe('no');
    await print(stage, run, 1, 'one\ntwo\n');
    await has(watcher, 'data: two');
    await stage.runs.saveProgress(run.lease, { phase: 'plan', done: 3, total: 9 });
    await has(watcher, 'event: state\ndata: refreshed 3 of 9\n\n');
    await print(stage, run, 2, 'three\n');
    await finish(run);
    await watcher.ended;
    expect(dataOf(watcher.received())).toBe('one\ntwo\nthree');
    expect(watcher.received().endsWith('event: end\ndata:\n\n')).toBe(true);
  });

  test('resumes after Last-Event-ID, which wins over the address, and repeats and leaves out nothing', async () => {
    await recordRuns(stage);
    const run = await startNextRun(stage);
    const path = await eventsUrl(run);
    await print(stage, run, 0, 'one\n');
    await print(stage, run, 1, 'two\n');
    const first = await watch(path);
    await has(first, 'data: two');
    first.leave();
    await print(stage, run, 2, 'three\n');
    const second = await watch(path, { 'last-event-id': lastId(first.received()) });
    await has(second, 'data: three');
    await finish(run);
    await second.ended;
    expect(dataOf(second.received())).toBe('three');
  });

  test('is not cut by the limits for slow requests and silent connections', async () => {
    await recordRuns(stage);
    const run = await startNextRun(stage);
    const watcher = await watch(await eventsUrl(run));
    await new Promise((resolve) => setTimeout(resolve, TIMEOUTS.requestMs * 2));
    await print(stage, run, 0, 'after a long silence\n');
    await has(watcher, 'after a long silence');
    await finish(run);
    await watcher.ended;
  });

  test('of a run that was started again tells the page to load once more', async () => {
    await recordRuns(stage);
    const queued = await stage.runs.listRuns({ limit: 1 });
    const run = await startNextRun(stage);
    await print(stage, run, 0, 'first attempt\n');
    const watcher = await watch(await eventsUrl(run));
    await stage.runs.handBack(run.lease);
    const again = await startNextRun(stage);
    expect(again.id).toBe(queued[0]?.id);
    await watcher.ended;
    expect(watcher.received()).toContain('event: end');
    const page = await (await stage.get(`/runs/${run.id}`)).text();
    expect(page).not.toContain('first attempt');
  });

  test('cannot be made to say other events: hostile line ends stay text', async () => {
    await recordRuns(stage);
    const run = await startNextRun(stage);
    await print(stage, run, 0, 'a\revent: end\r\nid: 9\n\nevent: end\n');
    const watcher = await watch(`/runs/${run.id}/events`);
    await has(watcher, 'id: 9');
    expect(watcher.received()).not.toMatch(/^(?:event: end|id: 9)$/m);
    expect(dataOf(watcher.received())).toBe('a\nevent: end\nid: 9\n\nevent: end');
    watcher.leave();
  });

  test('has a bounded number of watchers, and a place is free again when one leaves', async () => {
    await recordRuns(stage);
    const run = await startNextRun(stage);
    const path = `/runs/${run.id}/events`;
    const watchers: Watcher[] = [];
    for (let i = 0; i < 64; i += 1) watchers.push(await watch(path));
    expect(watchers.every((one) => one.response.status === 200)).toBe(true);
    const refused = await stage.get(path);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '30']);
    expect((await stage.get('/healthz')).status).toBe(200);
    for (const one of watchers) one.leave();
    await until(async () => {
      const next = await watch(path);
      next.leave();
      return next.response.status === 200 || undefined;
    }, 20_000);
  });

  test('is asked for by HEAD without being opened', async () => {
    await recordRuns(stage);
    const run = await startNextRun(stage);
    expect((await stage.get(`/runs/${run.id}/events`, { method: 'HEAD' })).status).toBe(404);
  });
});

describe('when the server stops', () => {
  test('open streams end cleanly, and their readers come back where they were', async () => {
    await recordRuns(stage);
    const run = await startNextRun(stage);
    await print(stage, run, 0, 'one\n');
    const watcher = await watch(`/runs/${run.id}/events`);
    await has(watcher, 'data: one');
    const before = performance.now();
    await stage.app.close();
    expect(performance.now() - before).toBeLessThan(TIMEOUTS.closeMs);
    await watcher.ended;
    expect(watcher.received()).not.toContain('event: end');
    expect(watcher.received()).toMatch(/^retry: \d+\n\n/);
  });
});
