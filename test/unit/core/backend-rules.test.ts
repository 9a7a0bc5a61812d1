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

  test('says which block it is, and whose the runs are', () => {
    const say = (kind: 'cloud' | 'remote') => planRefusal({ kind, type: kind, workspace: undefined });
    const rest =
      'makes HCP Terraform or Terraform Enterprise run its plans and applies, with their own queue, locks and approvals.';
    expect(say('cloud')).toContain(`This project's \`cloud\` block ${rest}`);
    expect(say('remote')).toContain(`This project's \`remote\` backend ${rest}`);
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

  test('one of several places is enough, written with a slash at its end or not', () => {
    const several = [{ path: '/other' }, { path: '/state/' }];
    expect(applyRefusal({ type: 'local', localPath: '/state/app.tfstate' }, several)).toBeUndefined();
    expect(applyRefusal({ type: 'local', localPath: '/state/app.tfstate' }, [])).toBeDefined();
  });

  test('says where the state would be lost, and what to do', () => {
    const say = (type: string) => applyRefusal({ type, localPath: undefined }, places);
    const next = 'the next plan would create everything once more. Add a backend (s3, gcs, azurerm, http, pg ...), or';
    expect(say('none')).toContain(
      `This root module has no \`backend\` block, so its state would be a file in the checkout and be lost with it: ${next}`,
    );
    expect(say('local')).toContain(
      `Its local backend keeps the state in the checkout, and it would be lost with that: ${next}`,
    );
  });
});
