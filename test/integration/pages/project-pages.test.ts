import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { projectPagePath } from '../../../src/core/project.ts';
import { keyOf } from '../../support/builders.ts';
import { buildDifference, buildFindings } from '../../support/drift-builders.ts';
import { drift, setProject, trackProjects } from '../../support/http-projects.ts';
import { type HttpStage, startHttpStage, WEB_TOKEN } from '../../support/http-stage.ts';
import { wantNotification } from '../../support/notification-rows.ts';

const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 360, height: 740 };
const LONG = `envs/${'somebody-who-likes-long-names/'.repeat(4)}eu-central-1`;
const PROD = projectPagePath(keyOf(LONG));

let browser: Browser;
let stage: HttpStage;

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
afterAll(() => browser?.close());

beforeEach(async () => {
  stage = await startHttpStage();
  await trackProjects(stage, [LONG, 'dns']);
  const attributes = [
    { ...attribute('ingress[*]'), live: `{"cidr_blocks":["${'10.0.0.0/8,'.repeat(20)}"]}`, applied: undefined },
    { ...attribute(`tags["${'x'.repeat(120)}"]`), sensitive: true, live: '(sensitive value)' },
  ];
  const resources = [
    buildDifference({ address: `module.network["${'y'.repeat(80)}"].aws_security_group.web`, attributes }),
    buildDifference({
      address: 'b.gone',
      missing: true,
      action: 'create',
      attributes: [{ ...attribute(''), live: undefined }],
    }),
  ];
  await drift(stage, LONG, { findings: buildFindings({ resources, failedChecks: ['check.size failed: too small'] }) });
  const suspension = { reason: `an outage, see ${'z'.repeat(90)}`, by: 'ann', since: new Date(), until: undefined };
  await setProject(stage, 'dns', { suspension });
  await stage.drift.saveProblem('github.com/42', `holdfast.yaml:12: ${'unknown'.repeat(20)}`);
  await wantNotification(stage.database.db, { dir: LONG, sentence: `It answered ${'n'.repeat(120)}` });
});
afterEach(() => stage?.[Symbol.asyncDispose]());

function attribute(path: string) {
  const values = { applied: '"ann"', live: '"eve"', wanted: '"ann"', unknown: false, sensitive: false };
  return { path, kind: 'drift', digest: path, ...values } as const;
}

async function open(viewport: typeof WIDE): Promise<{ readonly page: Page; readonly complaints: string[] }> {
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const complaints: string[] = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(`${stage.url}/login?token=${WEB_TOKEN}`);
  return { page, complaints };
}

/** Nothing is wider than the window; what must be wide scrolls by itself. */
const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

describe.each([
  ['wide', WIDE],
  ['narrow', NARROW],
])('in a %s window', (_, viewport) => {
  test.each(['/projects', '/projects?state=drift', PROD, projectPagePath(keyOf('dns')), '/notifications', '/runs'])(
    '%s fits, and its browser has nothing to complain about',
    async (path) => {
      const { page, complaints } = await open(viewport);
      await page.goto(`${stage.url}${path}`);
      await page.waitForSelector('h1');
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      expect(complaints).toEqual([]);
    },
  );

  test('a person finds the drift, reads what changed, and suspends the checks', async () => {
    const { page, complaints } = await open(viewport);
    await page.click('nav[aria-label="Main"] >> text=Projects');
    await page.click('nav[aria-label="By state"] >> text=drift');
    await page.click('.main-link');
    expect(await page.textContent('h1')).toBe(LONG);
    expect(await page.isVisible('text=ingress[*]')).toBe(true);
    expect(await page.isVisible('text=gone from what runs; an apply makes it again')).toBe(true);
    await page.click('summary >> text=Suspend its checks');
    await page.fill('label:has-text("Why nothing is checked") + input', 'maintenance');
    await page.selectOption('select[name=for]', '1d');
    await page.click('button:has-text("Suspend")');
    expect(await page.textContent('[role=status]')).toBe('Its checks are suspended.');
    expect(await page.textContent('main')).toContain('Suspended by somebody on the pages for');
    await page.click('button:has-text("Resume its checks")');
    expect(await page.textContent('[role=status]')).toBe('It is checked again.');
    expect(await overflow(page)).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
  });
});
