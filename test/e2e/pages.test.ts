import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Stage, startStage } from '../support/e2e-stage.ts';
import { until } from '../support/until.ts';

const WEB_TOKEN = 'a-token-for-the-browser';
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 360, height: 740 };

let stage: Stage;
let browser: Browser;

beforeAll(async () => {
  stage = await startStage({ environment: { HOLDFAST_WEB_TOKEN: WEB_TOKEN } });
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
  await stage?.[Symbol.asyncDispose]();
});

/** A browser of its own, with what it complained about. */
async function openBrowser(viewport = WIDE): Promise<{ readonly page: Page; readonly complaints: string[] }> {
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const complaints: string[] = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  return { page, complaints };
}

async function openLoggedIn(viewport = WIDE) {
  const opened = await openBrowser(viewport);
  await opened.page.goto(`${stage.holdfast.url}/login?token=${WEB_TOKEN}`);
  return opened;
}

/** Nothing is wider than the window; what must be wide scrolls by itself. */
const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

describe('the pages in a browser', () => {
  test('ask for the token, and lead to where one wanted to go', async () => {
    const { page, complaints } = await openBrowser();
    await page.goto(`${stage.holdfast.url}/locks`);
    expect(new URL(page.url()).pathname).toBe('/login');
    await page.fill('#token', 'wrong');
    await page.click('button:has-text("Log in")');
    expect(await page.textContent('#problem')).toBe('That is not the token.');
    await page.fill('#token', WEB_TOKEN);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/locks');
    expect(await page.textContent('h1')).toBe('Locks');
    await page.click('button:has-text("Log out")');
    await page.waitForURL('**/login');
    await page.goto(`${stage.holdfast.url}/runs`);
    expect(new URL(page.url()).pathname).toBe('/login');
    expect(complaints.filter((complaint) => !complaint.includes('401'))).toEqual([]);
    await page.context().close();
  });

  test('take the token of a link out of the address', async () => {
    const { page, complaints } = await openLoggedIn();
    expect(page.url()).toBe(`${stage.holdfast.url}/runs`);
    expect(await page.evaluate(() => document.cookie)).toBe('');
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('follow a link from another site without a second login', async () => {
    const { page } = await openLoggedIn();
    // Another site to a browser, though it is the same machine.
    await page.goto(stage.github.url.replace('127.0.0.1', 'localhost'));
    await page.evaluate((url) => {
      const link = document.createElement('a');
      link.href = url;
      document.body.append(link);
      link.click();
    }, `${stage.holdfast.url}/locks`);
    await page.waitForURL(`${stage.holdfast.url}/locks`);
    expect(await page.textContent('h1')).toBe('Locks');
    await page.context().close();
  });
});

describe('a run in a browser', () => {
  test('is followed from the list, moves by itself, and ends in its final state, wide and narrow', async () => {
    const repository = await stage.repository('watched', {
      'app/main.tf': stage.root('watched', 'app', { one: 'a', two: 'b' }),
    });
    const pull = await stage.open(repository, { 'app/main.tf': stage.root('watched', 'app', { one: 'a', two: 'c' }) });
    await stage.slow('create', 'watched-two', 6_000);
    stage.github.comment(pull, 'ann', 'holdfast apply');
    await until(() => stage.applying(pull));
    const { page, complaints } = await openLoggedIn();
    await page.click('a:has-text("apply of app")');
    await page.waitForSelector('.badge:has-text("running")');
    await page.waitForFunction(() => document.querySelector('#log-state')?.textContent === 'Live');
    await page.waitForFunction(() =>
      /Still creating|Creating/.test(document.querySelector('#log code')?.textContent ?? ''),
    );
    await page.waitForSelector('.badge.good:has-text("succeeded")');
    await stage.settle();
    const log = await page.textContent('#log code');
    expect(log?.match(/Apply complete/g)).toHaveLength(1);
    expect(await page.textContent('dl')).toMatch(/Asked for by\s*ann/);
    const comment = await page.getAttribute('dl a', 'href');
    expect(comment).toMatch(/#issuecomment-\d+$/);
    expect(await page.textContent('table')).toMatch(/apply/);
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    const narrow = await openLoggedIn(NARROW);
    for (const path of ['/runs', new URL(page.url()).pathname, '/locks']) {
      await narrow.page.goto(`${stage.holdfast.url}${path}`);
      expect(await overflow(narrow.page)).toBeLessThanOrEqual(0);
    }
    expect([...complaints, ...narrow.complaints]).toEqual([]);
    await page.context().close();
    await narrow.page.context().close();
  });

  test('shows the plan with its changes, and what a comment of it links to', async () => {
    const repository = await stage.repository('planned', { 'app/main.tf': stage.root('planned', 'app', { one: 'a' }) });
    const pull = await stage.open(repository, { 'app/main.tf': stage.root('planned', 'app', { one: 'b' }) });
    const link = new RegExp(`${stage.holdfast.url}/runs/[\\w-]+`).exec(stage.planComment(pull))?.[0] ?? '';
    const { page, complaints } = await openLoggedIn();
    await page.goto(link);
    expect(await page.textContent('.changes')).toMatch(/create fakecloud_object\.one/);
    expect(await page.textContent('.diff')).toContain('+ resource "fakecloud_object" "one"');
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});

describe('a lock in a browser', () => {
  test('is released with one press and goes to who waits for it', async () => {
    const repository = await stage.repository('locked', { 'app/main.tf': stage.root('locked', 'app', { one: 'a' }) });
    const change = (content: string) => ({ 'app/main.tf': stage.root('locked', 'app', { one: content }) });
    const first = await stage.open(repository, change('b'));
    const second = await stage.open(repository, change('c'));
    const { page, complaints } = await openLoggedIn();
    await page.click('nav a:has-text("Locks")');
    const row = page.locator('li', { hasText: 'acme/locked#' });
    expect(await row.textContent()).toContain(`waiting: #${second.issue.number}`);
    await row.locator('button').click();
    await page.waitForSelector('[role=status]');
    expect(await page.textContent('[role=status]')).toBe('The lock was released.');
    expect(await row.textContent()).toContain(`held by acme/locked#${second.issue.number}`);
    await stage.settle();
    expect(await stage.locks(repository)).toEqual([expect.objectContaining({ pull: second.issue.number })]);
    expect(stage.lastReply(second)).toContain('app');
    expect(stage.planComment(first)).toMatch(/discarded|holdfast plan/);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
