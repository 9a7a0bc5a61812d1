import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { renderRunPage } from '../../../src/pages/pages.ts';
import { runListItem, runPageView } from '../../support/run-page-view.ts';

const STATIC = new URL('../../../src/pages/static/', import.meta.url);
const TYPES: Readonly<Record<string, string>> = { css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' };
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'";

/** Plays the server's part: breaks the stream once after two lines, goes on after Last-Event-ID, then ends. */
class LogServer {
  readonly resumedAfter: (string | undefined)[] = [];
  #ended = false;
  readonly #server = createServer((request, response) => this.#answer(request, response));

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/runs/r1`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '/';
    if (path === '/runs/r1/events') return this.#stream(request, response);
    const file = /^\/static\/([\w.-]+)$/.exec(path)?.[1];
    if (file !== undefined) {
      response.setHeader('content-type', TYPES[file.split('.').at(-1) ?? ''] ?? 'text/plain');
      response.end(readFileSync(new URL(file, STATIC)));
      return;
    }
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader('content-security-policy', POLICY);
    response.end(this.#page());
  }

  #page(): string {
    if (this.#ended)
      return renderRunPage(
        runPageView({ log: { text: 'all of it\n', cut: false, fullUrl: undefined, eventsUrl: undefined } }),
      );
    const run = runListItem({ state: 'running', outcome: undefined });
    return renderRunPage(
      runPageView({ run, log: { text: 'zero\n', cut: false, fullUrl: undefined, eventsUrl: '/runs/r1/events' } }),
    );
  }

  #stream(request: IncomingMessage, response: ServerResponse): void {
    const after = request.headers['last-event-id'] as string | undefined;
    this.resumedAfter.push(after);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (after === undefined) {
      response.end(
        'retry: 50\n\nid: 1\ndata: one\n\nevent: state\ndata: refreshed 1 of 2\n\nid: 2\ndata: <b>two</b>\ndata: and more\n\n',
      );
      return;
    }
    response.write('id: 3\ndata: three\n\n');
    setTimeout(() => {
      this.#ended = true;
      response.end('event: end\ndata:\n\n');
    }, 1_500);
  }
}

let browser: Browser;
const server = new LogServer();

beforeAll(async () => {
  const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
  browser = await chromium
    .launch({ executablePath, args: ['--no-sandbox', '--disable-quic', '--disable-background-networking'] })
    .catch((error: unknown) => {
      throw new Error(`Chromium did not start from ${executablePath}; install it: apt-get install chromium`, {
        cause: error,
      });
    });
});

afterAll(async () => {
  await browser?.close();
  server.close();
});

test('the log moves, resumes after a break where it was, and the page ends in its final state', async () => {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(await server.listen());
  await page.waitForFunction(() => document.querySelector('#log code')?.textContent?.includes('three'), undefined, {
    timeout: 10_000,
  });
  expect(await page.textContent('#log code')).toBe('zero\none\n<b>two</b>\nand more\nthree\n');
  expect(await page.textContent('#progress')).toBe('refreshed 1 of 2');
  expect(await page.textContent('#log-state')).toBe('Live');
  await page.waitForSelector('.badge.good', { timeout: 10_000 });
  expect(await page.textContent('#log code')).toBe('all of it\n');
  expect(server.resumedAfter).toEqual([undefined, '2']);
  expect(complaints).toEqual([]);
});
