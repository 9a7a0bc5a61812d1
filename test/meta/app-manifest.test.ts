import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { usedEvents, usedPermissions } from '../../src/adapters/github/permissions.ts';

const manifest = parse(readFileSync(new URL('../../app.yml', import.meta.url), 'utf8'));
const readme = readFileSync(new URL('../../src/adapters/github/README.md', import.meta.url), 'utf8');

describe('app.yml', () => {
  test('asks for exactly the permissions that the code uses', () => {
    expect(manifest.default_permissions).toEqual(usedPermissions);
  });

  test('subscribes to exactly the events that the code understands', () => {
    expect([...manifest.default_events].sort()).toEqual([...usedEvents].sort());
  });

  test('is private, and says where webhooks go', () => {
    expect(manifest.public).toBe(false);
    expect(manifest.hook_attributes).toEqual({ url: expect.stringMatching(/\/webhooks\/github$/), active: true });
  });

  test('has each permission and event explained', () => {
    for (const name of [...Object.keys(usedPermissions), ...usedEvents]) expect(readme).toContain(`| \`${name}\``);
  });
});
