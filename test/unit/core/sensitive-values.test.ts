import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePlanJson } from '../../../src/core/plan-json.ts';
import { looksSecret, sensitiveBackendValues, sensitiveValues } from '../../../src/core/sensitive-values.ts';
import { planFixture } from '../../support/plan-fixture.ts';

function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

const valuesOf = (plan: Readonly<Record<string, unknown>>) =>
  sensitiveValues(parsePlanJson(JSON.stringify({ format_version: '1.2', ...plan })));

describe('sensitiveValues', () => {
  test('finds every secret of a real plan, and nothing that is none', () => {
    const found = sensitiveValues(planFixture('create'));
    expect(found.toSorted()).toEqual(['module-canary', 'output-canary', 'provider-canary', 'variable-canary']);
    expect(sensitiveValues(planFixture('nothing')).toSorted()).toEqual(['provider-canary', 'variable-canary']);
  });

  test('follows the marks into lists and objects', () => {
    const marked = {
      actions: ['update'],
      before: {
        users: [
          { name: 'ann', password: 'old-secret' },
          { name: 'bob', password: 'p2' },
        ],
        all: { a: 1234567, b: ['deep'] },
      },
      after: { users: [{ name: 'ann', password: 'new-secret' }] },
      before_sensitive: { users: [{ password: true }, {}], all: true },
      after_sensitive: { users: [{ password: true }] },
    };
    const found = valuesOf({ resource_drift: [{ address: 'a.b', type: 'a', change: marked }] });
    expect(found.toSorted()).toEqual(['1234567', 'deep', 'new-secret', 'old-secret']);
  });

  test('reads state and planned values, in modules too', () => {
    const module = (value: string) => ({
      child_modules: [{ resources: [{ values: { key: value, open: 'open' }, sensitive_values: { key: true } }] }],
    });
    const outputs = {
      token: { sensitive: true, value: { x: 'from-output' } },
      url: { sensitive: false, value: 'open' },
    };
    const found = valuesOf({
      prior_state: { values: { root_module: module('from-state'), outputs } },
      planned_values: { root_module: module('from-plan') },
    });
    expect(found.toSorted()).toEqual(['from-output', 'from-plan', 'from-state']);
  });

  test('takes literals and variables behind secret-looking provider arguments, in blocks too', () => {
    const expressions = {
      region: { constant_value: 'eu-north-1' },
      secret_key: { constant_value: 'key-canary' },
      token: { references: ['var.plain', 'var.gone'] },
      assume_role: [{ external_id: { constant_value: 'open' }, session_token: { constant_value: 'block-canary' } }],
    };
    const found = valuesOf({
      variables: { plain: { value: 'plain-canary' } },
      configuration: { provider_config: { aws: { expressions } } },
    });
    expect(found.toSorted()).toEqual(['block-canary', 'key-canary', 'plain-canary']);
  });

  test('true, false, null and nothing are not worth masking', () => {
    const change = { actions: ['create'], after: { a: true, b: null, c: '', d: [] }, after_sensitive: true };
    expect(valuesOf({ resource_changes: [{ address: 'a.b', type: 'a', change }] })).toEqual([]);
  });

  test('whatever stands in a plan, nothing is thrown, and a wholly marked value gives all its texts', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (value, marks) => {
        const change = {
          actions: ['update'],
          before: value,
          before_sensitive: marks,
          after: value,
          after_sensitive: true,
        };
        const found = valuesOf({
          resource_changes: [{ address: 'a.b', type: 'a', change }],
          prior_state: marks,
          configuration: { root_module: marks, provider_config: value },
        });
        for (const text of textsOf(value)) expect(found).toContain(text);
      }),
    );
  });
});

test('backend secrets are told by their names', () => {
  const config = {
    address: 'https://example.com',
    username: 'me',
    password: 'pw-canary',
    conn_str: 'postgres://u:p@h/d',
    nested: { access_key: 'AKIA' },
  };
  expect(sensitiveBackendValues(config).toSorted()).toEqual(['AKIA', 'postgres://u:p@h/d', 'pw-canary']);
  expect(sensitiveBackendValues(undefined)).toEqual([]);
});

test.each([
  ['DB_PASSWORD', true],
  ['VAULT_TOKEN', true],
  ['AWS_SECRET_ACCESS_KEY', true],
  ['AWS_REGION', false],
  ['TF_VAR_region', false],
])('%s looks like a secret: %j', (name, secret) => {
  expect(looksSecret(name)).toBe(secret);
});
