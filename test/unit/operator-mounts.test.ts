import { expect, test } from 'vitest';
import type { ServerConfig } from '../../src/config/server-config.ts';
import { operatorMounts } from '../../src/infrastructure.ts';

test('the provider mirror is shown once, also when it is among the mounts that were named', () => {
  const mountsOf = (paths: readonly string[], directory: string | undefined) =>
    operatorMounts({
      sandbox: { mounts: paths.map((path) => ({ path, mode: 'ro' })) },
      providerMirror: { directory },
    } as unknown as ServerConfig).map(({ source }) => source);
  expect(mountsOf(['/srv/state', '/srv/mirror'], '/srv/mirror')).toEqual(['/srv/state', '/srv/mirror']);
  expect(mountsOf(['/srv/state'], '/srv/mirror')).toEqual(['/srv/state', '/srv/mirror']);
  expect(mountsOf(['/srv/state'], undefined)).toEqual(['/srv/state']);
});
