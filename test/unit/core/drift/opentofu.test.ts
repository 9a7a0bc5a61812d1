import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { InputsComparison } from '../../../../src/core/drift/drift.ts';
import { parsePlanJson } from '../../../../src/core/plan-json.ts';
import { findingsOf, kindsOf } from '../../../support/drift-findings.ts';

/**
 * The samples were made by hand from OpenTofu's documented format ("JSON Output Format", opentofu.org); no `tofu` wrote them. They have what
 * differs from Terraform's: the registry's name, and neither `applyable` nor `complete`.
 */
function documented(name: string, inputs: InputsComparison) {
  const file = new URL(`../../../fixtures/opentofu-documented/${name}.json`, import.meta.url);
  return findingsOf(parsePlanJson(readFileSync(file, 'utf8')), inputs);
}

describe('a plan in the format that OpenTofu documents', () => {
  test('with a drift and a pending commit', () => {
    const found = documented('drift-and-pending', 'changed');
    const address = 'module.web["eu"].aws_instance.a';
    expect(found).toMatchObject({ sync: 'drift', complete: true });
    expect(kindsOf(found)).toEqual({
      [`${address} ebs_block_device[1].volume_size`]: 'drift',
      [`${address} instance_type`]: 'drift',
      [`${address} password`]: 'drift',
      [`${address} vpc_security_group_ids[*]`]: 'drift',
      [`${address} tags.team`]: 'pending',
    });
    expect(JSON.stringify(found)).not.toMatch(/hunter2|changed-by-hand/);
  });

  test('with a missing object and what follows it', () => {
    const found = documented('missing', 'unchanged');
    expect(found.sync).toBe('drift');
    expect(kindsOf(found)).toEqual({ 'dns_zone.z (all)': 'drift', 'dns_record.r zone': 'consequence' });
    expect(found.outputs).toMatchObject([{ name: 'zone', kind: 'consequence' }]);
    expect(found.resources.map(({ address, missing }) => [address, missing])).toEqual([
      ['dns_record.r', false],
      ['dns_zone.z', true],
    ]);
  });

  test('with what the code alone asks for', () => {
    const found = documented('code-only', 'changed');
    expect(found.sync).toBe('pending');
    expect(found.resources.map(({ address, action, destructive }) => [address, action, destructive])).toEqual([
      ['dns_zone.deposed (deposed deadbeef)', 'delete', true],
      ['dns_zone.dropped', 'delete', true],
      ['dns_zone.forgotten', 'forget', false],
      ['dns_zone.imported', 'import', false],
      ['dns_zone.moved', 'move', false],
      ['dns_zone.scaled[1]', 'delete', true],
    ]);
    expect(new Set(Object.values(kindsOf(found)))).toEqual(new Set(['pending']));
  });

  test('with a computed attribute that feeds an output, and a failed check', () => {
    const found = documented('computed-and-checks', 'unchanged');
    expect(found.sync).toBe('state_only');
    expect(kindsOf(found)).toEqual({ 'dns_zone.z serial': 'state_only' });
    expect(found.outputs).toMatchObject([{ name: 'serial', kind: 'state_only', applied: '7', wanted: '9' }]);
    expect(found.failedChecks).toEqual(['check.alive: The zone does not answer.']);
  });
});
