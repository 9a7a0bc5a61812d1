import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/configuration-file.ts';
import { findProviders, providerAddress } from '../../../src/core/provider-requirement.ts';

const TERRAFORM = 'registry.terraform.io';

test.each([
  ['aws', `${TERRAFORM}/hashicorp/aws`, 'registry.opentofu.org/hashicorp/aws'],
  ['Acme/Thing', `${TERRAFORM}/acme/thing`, 'registry.opentofu.org/acme/thing'],
  ['registry.acme.io/acme/thing', 'registry.acme.io/acme/thing', 'registry.acme.io/acme/thing'],
])('%s is %s, or to OpenTofu %s', (source, terraform, opentofu) => {
  expect(providerAddress(source, 'terraform')).toBe(terraform);
  expect(providerAddress(source, 'opentofu')).toBe(opentofu);
});

describe('what a directory needs', () => {
  const requires = (providers: JsonObject): JsonObject => ({ terraform: [{ required_providers: [providers] }] });
  const find = (...bodies: readonly JsonObject[]) => findProviders(bodies, 'terraform');
  const implied = (name: string) => ({ name, source: `${TERRAFORM}/hashicorp/${name}`, versions: [], declared: false });

  test('what it declares', () => {
    expect(find(requires({ x: { source: 'acme/x', version: '~> 1.0' }, old: '>= 2', bare: {}, odd: 3 }))).toEqual([
      { name: 'x', source: `${TERRAFORM}/acme/x`, versions: ['~> 1.0'], declared: true },
      { name: 'old', source: `${TERRAFORM}/hashicorp/old`, versions: ['>= 2'], declared: true },
      { name: 'bare', source: `${TERRAFORM}/hashicorp/bare`, versions: [], declared: true },
      { name: 'odd', source: `${TERRAFORM}/hashicorp/odd`, versions: [], declared: true },
    ]);
  });

  test('declarations of several files together', () => {
    const x = { source: 'acme/x', version: '1' };
    expect(find(requires({ x: '2' }), requires({ x }), requires({ x: '1' }))).toEqual([
      { name: 'x', source: `${TERRAFORM}/acme/x`, versions: ['2', '1'], declared: true },
    ]);
  });

  test.each(['resource', 'data', 'ephemeral'])('what the type of a %s implies', (kind) => {
    expect(find({ [kind]: [{ aws_thing: [{ a: [{}], b: [{}] }] }] })).toEqual([implied('aws')]);
  });

  test.each(['google-beta', '${google-beta}', '${google-beta.east}', '${ google-beta["x"] }', 'google-beta.east'])(
    'what a meta-argument names: %s',
    (provider) => {
      expect(find({ resource: [{ google_thing: [{ a: [{ provider }] }] }] })).toEqual([implied('google-beta')]);
    },
  );

  test('what a provider block names, with its version', () => {
    expect(
      find({ provider: [{ aws: [{ version: '~> 1' }, { version: '~> 1' }, { version: '2', alias: 'b' }] }] }),
    ).toEqual([{ ...implied('aws'), versions: ['~> 1', '2'] }]);
    expect(find({ provider: [{ aws: [{ version: '${var.x}' }] }] })).toEqual([implied('aws')]);
  });

  test('versions of a block are added to those declared', () => {
    expect(find({ provider: [{ x: [{ version: '2' }] }] }, requires({ x: '1' }))).toEqual([
      { name: 'x', source: `${TERRAFORM}/hashicorp/x`, versions: ['1', '2'], declared: true },
    ]);
  });

  test('a use says nothing of what is declared', () => {
    const declared = requires({ aws: { source: 'acme/aws' } });
    expect(find({ resource: [{ aws_thing: [{ a: [{}] }] }] }, declared)).toEqual([
      { name: 'aws', source: `${TERRAFORM}/acme/aws`, versions: [], declared: true },
    ]);
  });

  test('nothing for what is built in, or has no name', () => {
    const builtIn = { source: 'terraform.io/builtin/terraform' };
    expect(find({ resource: [{ terraform_data: [{ a: [{}] }] }] })).toEqual([]);
    expect(find(requires({ terraform: builtIn }), { data: [{ terraform_remote_state: [{ a: [{}] }] }] })).toEqual([]);
    expect(find({ resource: [{ _x: [{ a: [{}] }], y_z: [{ a: [{ provider: '' }] }] }] })).toEqual([]);
    expect(find({})).toEqual([]);
  });
});
