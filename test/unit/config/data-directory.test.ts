import { expect, test } from 'vitest';
import { loadServerConfig } from '../../../src/config/load-server-config.ts';

test.each([
  ['an ordinary user', { HOME: '/home/ann' }, false, '/home/ann/.local/share/holdfast'],
  ['root, whose home sandboxes cannot pass through', { HOME: '/root' }, true, '/var/lib/holdfast'],
  ['whoever sets XDG_DATA_HOME', { HOME: '/root', XDG_DATA_HOME: '/srv/data' }, true, '/srv/data/holdfast'],
  ['a user without a home', {}, false, '/var/lib/holdfast'],
  ['whoever names it', { HOME: '/root', HOLDFAST_DATA_DIR: 'here' }, true, '/work/here'],
])('the data directory of %s', (_who, environment, superuser, place) => {
  const options = { readFile: () => '', workingDirectory: '/work', superuser, purpose: 'look' } as const;
  const loaded = loadServerConfig(environment, options);
  expect('config' in loaded && loaded.config.dataDir).toBe(place);
});
