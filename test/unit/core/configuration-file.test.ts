import { describe, expect, test } from 'vitest';
import {
  isConfigurationFile,
  isOpenTofuFile,
  isOverrideFile,
  isTerragruntFile,
  selectConfigurationFiles,
} from '../../../src/core/configuration-file.ts';

describe('by its name', () => {
  test.each(['main.tf', 'a/b/main.tf', 'main.tf.json', 'main.tofu', 'main.tofu.json', 'a.b.tf'])(
    '%s is configuration',
    (path) => expect(isConfigurationFile(path)).toBe(true),
  );

  test.each([
    '.main.tf',
    'a/.main.tf',
    'main.tf~',
    '#main.tf#',
    'main.tfvars',
    'main.json',
    'tf',
    'main.tf/readme',
    'a.tfx',
  ])('%s is none', (path) => expect(isConfigurationFile(path)).toBe(false));

  test.each([
    ['x.tofu', true],
    ['a/x.tofu.json', true],
    ['x.tf', false],
    ['x.tofu.tf', false],
    ['xtofu', false],
    ['x.tofu.jsonx', false],
  ])('%s is only for OpenTofu: %s', (path, is) => expect(isOpenTofuFile(path)).toBe(is));

  test.each([
    ['terragrunt.hcl', true],
    ['a/terragrunt.hcl', true],
    ['my-terragrunt.hcl', false],
    ['terragrunt.hcl/x', false],
  ])('%s is for Terragrunt: %s', (path, is) => expect(isTerragruntFile(path)).toBe(is));

  test.each([
    ['override.tf', true],
    ['a/override.tf.json', true],
    ['my_override.tofu', true],
    ['a_b_override.tf', true],
    ['myoverride.tf', false],
    ['override_x.tf', false],
    ['override', true],
    ['override.tf.x', false],
  ])('%s overrides the others: %s', (path, is) => expect(isOverrideFile(path)).toBe(is));
});

describe('of one directory', () => {
  const FILES = ['z.tf', 'override.tf', 'b.tofu', 'b.tf', 'a.tf.json', 'a.tofu', 'a_override.tf'];

  test('Terraform reads its own, by name, overrides last', () => {
    expect(selectConfigurationFiles(FILES, 'terraform')).toEqual([
      'a.tf.json',
      'b.tf',
      'z.tf',
      'a_override.tf',
      'override.tf',
    ]);
  });

  test('OpenTofu reads x.tofu instead of x.tf, and JSON beside it', () => {
    expect(selectConfigurationFiles(FILES, 'opentofu')).toEqual([
      'a.tf.json',
      'a.tofu',
      'b.tofu',
      'z.tf',
      'a_override.tf',
      'override.tf',
    ]);
    expect(selectConfigurationFiles(['a.tf.json', 'a.tofu.json'], 'opentofu')).toEqual(['a.tofu.json']);
  });

  test('nothing but .tofu is shown to Terraform, too', () => {
    expect(selectConfigurationFiles(['b.tofu', 'a.tofu.json'], 'terraform')).toEqual(['a.tofu.json', 'b.tofu']);
  });

  test('the list it is given stays as it is', () => {
    const given = ['b.tf', 'a.tf', 'b.tf'];
    expect(selectConfigurationFiles(given, 'opentofu')).toEqual(['a.tf', 'b.tf', 'b.tf']);
    expect(given).toEqual(['b.tf', 'a.tf', 'b.tf']);
  });
});
