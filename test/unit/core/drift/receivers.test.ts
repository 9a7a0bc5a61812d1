import { describe, expect, test } from 'vitest';
import type { DriftNotification } from '../../../../src/core/drift/notifications.ts';
import { addressTo, type NotificationReceiver } from '../../../../src/core/drift/receivers.ts';
import { buildProject, buildRepository, keyOf } from '../../../support/builders.ts';

const OPENED: DriftNotification = {
  event: 'drift_opened',
  key: 'k',
  fingerprint: 'f1',
  sentence: 'Drift was found.',
};
const ABOUT = {
  repository: buildRepository({ owner: 'Acme', name: 'Infra' }),
  project: { key: keyOf('prod'), project: buildProject({ dir: 'prod', workspace: 'blue' }) },
};

function receiver(some: Partial<NotificationReceiver> = {}): NotificationReceiver {
  return { name: 'ops', events: [], repositories: [], ...some };
}

const toldTo = (receivers: readonly NotificationReceiver[]) =>
  addressTo(receivers)(OPENED, ABOUT).map(({ receiver: name }) => name);

describe('a notification', () => {
  test('goes to who wants that event of that repository', () => {
    const receivers = [
      receiver({ name: 'everything' }),
      receiver({ name: 'events', events: ['drift_resolved', 'drift_opened'] }),
      receiver({ name: 'other-events', events: ['drift_resolved'] }),
      receiver({ name: 'repository', repositories: ['github.com/other/*', 'github.com/acme/*'] }),
      receiver({ name: 'other-repository', repositories: ['github.com/acme/infra-2'] }),
      receiver({ name: 'neither', events: ['check_overdue'], repositories: ['github.com/acme/*'] }),
    ];
    expect(toldTo(receivers)).toEqual(['everything', 'events', 'repository']);
    expect(toldTo([])).toEqual([]);
  });

  test('does not tell apart how names are capitalised', () => {
    expect(toldTo([receiver({ repositories: ['github.com/ACME/infra'] })])).toEqual(['ops']);
  });

  test('carries what happened to which project', () => {
    expect(addressTo([receiver()])(OPENED, ABOUT)).toEqual([
      {
        receiver: 'ops',
        payload: {
          event: 'drift_opened',
          sentence: 'Drift was found.',
          fingerprint: 'f1',
          repository: { host: 'github.com', id: '42', name: 'Acme/Infra', url: 'https://github.com/acme/infra' },
          project: { key: keyOf('prod'), title: 'prod (blue)', dir: 'prod', workspace: 'blue', name: undefined },
        },
      },
    ]);
  });
});
