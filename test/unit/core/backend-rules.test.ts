import { describe, expect, test } from 'vitest';
import { applyRefusal, planRefusal } from '../../../src/core/backend-rules.ts';

describe('planRefusal', () => {
  test.each(['none', 'local', 'other'] as const)('%s is planned here', (kind) => {
    expect(planRefusal({ kind, type: undefined, workspace: undefined })).toBeUndefined();
  });

  test.each(['cloud', 'remote'] as const)('%s is explained', (kind) => {
    expect(planRefusal({ kind, type: kind, workspace: 'prod' })).toMatch(/`(cloud|remote)`.*\(workspace "prod"\)/);
    expect(planRefusal({ kind, type: kind, workspace: undefined })).not.toContain('workspace "');
  });
});

describe('applyRefusal', () => {
  const places = [{ path: '/state' }];

  test.each([
    ['s3', undefined, true],
    ['none', '/holdfast/checkout/terraform.tfstate', false],
    ['local', '/holdfast/checkout/terraform.tfstate', false],
    ['local', '/state/app.tfstate', true],
    ['local', '/state-too/app.tfstate', false],
    ['local', '/state/../etc/app.tfstate', false],
    ['local', undefined, false],
  ])('%s at %s may be applied: %j', (type, localPath, may) => {
    expect(applyRefusal({ type, localPath }, places) === undefined).toBe(may);
  });
});
