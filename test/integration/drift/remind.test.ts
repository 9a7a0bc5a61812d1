import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDriftStore } from '../../../src/adapters/postgres/drift/drift-store.ts';
import { createNotificationStore } from '../../../src/adapters/postgres/notification-store.ts';
import type { NotificationConfig } from '../../../src/config/server-config.ts';
import type { DriftProjectChanges } from '../../../src/core/drift/drift-project.ts';
import { addressTo } from '../../../src/core/drift/receivers.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { remindJob } from '../../../workers/drift/remind-job.ts';
import { buildRepository, HEAD, keyOf } from '../../support/builders.ts';
import { buildBranchProject } from '../../support/drift-builders.ts';
import { createRecordStage, type RecordStage } from '../../support/record-stage.ts';

const HOUR_MS = 3_600_000;
const ago = (hours: number) => new Date(Date.now() - hours * HOUR_MS);

function receiver(
  some: Partial<Pick<NotificationConfig, 'name' | 'events' | 'repositories'>> = {},
): NotificationConfig {
  const url = new Secret('https://hook.example');
  return {
    name: 'ops',
    events: [],
    repositories: [],
    kind: 'slack',
    url,
    ca: undefined,
    allowLinkLocal: false,
    ...some,
  };
}

let stage: RecordStage;
beforeAll(async () => {
  stage = await createRecordStage();
});
beforeEach(async () => {
  await stage.forget();
  await stage.pulls.saveRepository(buildRepository());
  await stage.drift.track(buildRepository(), 'main');
  const projects = ['a', 'b'].map((dir) => buildBranchProject(dir));
  await stage.drift.syncProjects('github.com/42', { tip: HEAD, settingsDigest: 's', projects }, new Date());
});

const set = (dir: string, changes: DriftProjectChanges) =>
  stage.drift.change(keyOf(dir), () => ({ changes, report: false }));

/** Runs it, and answers everything that was ever to be told. */
async function remind(notifications: readonly NotificationConfig[] = [receiver()], now = new Date()) {
  await remindJob({
    config: { notifications } as unknown as Parameters<typeof remindJob>[0]['config'],
    drift: createDriftStore(stage.db, addressTo(notifications)),
    overview: stage.overview,
    now: () => now,
  });
  const told = await createNotificationStore(stage.db).list({ limit: 100 });
  return told.map(
    ({ event, receiver: name, payload }) => `${name} ${event} ${payload.project.dir}: ${payload.sentence}`,
  );
}

describe('what nobody would hear of', () => {
  test('a check that is overdue is told of once, and again only when another one is', async () => {
    await set('a', { lastSuccessAt: ago(10) });
    await set('b', { lastSuccessAt: ago(1) });
    const first = await remind();
    expect(first).toEqual(['ops check_overdue a: The last check that succeeded was 10 hours ago.']);
    expect(await remind()).toEqual(first);
    await set('a', { lastSuccessAt: ago(9.5) });
    expect(await remind()).toHaveLength(2);
  });

  test('a suspension without an end is told of every week, one with an end never', async () => {
    const suspension = { reason: 'an outage', by: 'ann', since: ago(8 * 24), until: undefined };
    await set('a', {
      suspension,
      lastSuccessAt: ago(9 * 24),
      skip: { code: 'suspended', sentence: 's', since: ago(9) },
    });
    await set('b', { suspension: { ...suspension, until: ago(-24) }, lastSuccessAt: ago(9 * 24) });
    const first = await remind();
    expect(first).toEqual([
      'ops suspended_too_long a: @ann suspended its checks 8 days ago, without an end: an outage',
    ]);
    expect(await remind()).toEqual(first);
    expect(await remind([receiver()], ago(-7 * 24))).toHaveLength(2);
  });

  test('is told to those who want it of that repository', async () => {
    await set('a', { lastSuccessAt: ago(10) });
    const told = await remind([
      receiver({ name: 'wants', events: ['check_overdue'], repositories: ['github.com/acme/*'] }),
      receiver({ name: 'other-event', events: ['drift_opened'] }),
      receiver({ name: 'other-repository', repositories: ['github.com/other/*'] }),
    ]);
    expect(told.map((line) => line.split(' ')[0])).toEqual(['wants']);
  });

  test('is nobody’s where nobody is to be told', async () => {
    await set('a', { lastSuccessAt: ago(10) });
    expect(await remind([])).toEqual([]);
    expect(await remind([receiver({ events: ['drift_opened'] })])).toEqual([]);
  });
});
