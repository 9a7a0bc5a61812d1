import { describe, expect, test } from 'vitest';
import { findTouchedRoots, isTerraformFile } from '../../../src/core/module-changes.ts';
import { backend, configurationOf, type Files, reads, uses } from './finder-fixture.ts';

test.each([
  'main.tf',
  'a/main.tofu.json',
  'terragrunt.hcl',
  'a/.terraform.lock.hcl',
  'prod.tfvars',
  'env/prod.tfvars.json',
])('%s can change a plan', (path) => expect(isTerraformFile(path)).toBe(true));

test.each([
  'readme.md',
  'terraform.tfstate',
  'a/terraform.tfstate.1.backup',
  'terraform.tfstate.tf',
  '.tflint.hcl',
  'other.hcl',
  'a.tfvars.bak',
  'tfvars',
])('%s cannot', (path) => expect(isTerraformFile(path)).toBe(false));

describe('a changed file touches', () => {
  const S3 = backend('s3');
  const touched = (files: Files, ...changed: readonly string[]) =>
    Object.fromEntries(findTouchedRoots(configurationOf(files), changed));

  test('the root it lies in, with every file a reason', () => {
    expect(touched({ 'a/main.tf': S3, 'b/main.tf': S3 }, 'a/main.tf', 'a/x.tf', 'a/x.md')).toEqual({
      a: ['a/main.tf changed', 'a/x.tf changed'],
    });
  });

  test('every root that uses its module, through any number of calls', () => {
    const files = {
      'a/main.tf': { ...S3, ...uses('../m') },
      'b/main.tf': { ...S3, ...uses('../n') },
      'm/main.tf': uses('../n'),
      'n/main.tf': {},
    };
    expect(touched(files, 'n/main.tf')).toEqual({
      a: ['n/main.tf changed, in the local module n'],
      b: ['n/main.tf changed, in the local module n'],
    });
    expect(touched(files, 'm/x.tf')).toEqual({ a: ['m/x.tf changed, in the local module m'] });
  });

  test('a root that is a module of another one: both', () => {
    const files = { 'a/main.tf': { ...S3, ...uses('../b') }, 'b/main.tf': S3 };
    expect(touched(files, 'b/main.tf')).toEqual({
      a: ['b/main.tf changed, in the local module b'],
      b: ['b/main.tf changed'],
    });
  });

  test('for variables, the nearest root above', () => {
    const files = { 'a/main.tf': S3, 'a/b/main.tf': S3, 'c/main.tf': S3 };
    expect(touched(files, 'a/b/env/deep/prod.tfvars')).toEqual({ 'a/b': ['a/b/env/deep/prod.tfvars changed'] });
    expect(touched(files, 'a/env/prod.tfvars')).toEqual({ a: ['a/env/prod.tfvars changed'] });
    expect(touched(files, 'env/prod.tfvars')).toEqual({});
    expect(touched({ 'main.tf': S3 }, 'env/prod.tfvars')).toEqual({ '.': ['env/prod.tfvars changed'] });
  });

  test('for a module that nobody calls, the root above its modules folder and no other', () => {
    expect(touched({ 'a/main.tf': S3 }, 'a/modules/x/main.tf')).toEqual({ a: ['a/modules/x/main.tf changed'] });
    expect(touched({ 'a/b/main.tf': S3 }, 'a/b/modules/x/y/main.tf')).toEqual({
      'a/b': ['a/b/modules/x/y/main.tf changed'],
    });
    expect(touched({ 'main.tf': S3 }, 'modules/x/main.tf')).toEqual({ '.': ['modules/x/main.tf changed'] });
    expect(touched({ 'main.tf': S3 }, 'b/modules/x/main.tf')).toEqual({});
    expect(touched({ 'a/main.tf': S3 }, 'a/x/main.tf')).toEqual({});
    expect(touched({ 'main.tf': S3 }, 'x/main.tf')).toEqual({});
  });

  test('the root that reads it, whatever it is', () => {
    const files = { 'a/main.tf': { ...S3, ...reads('data.json') }, 'b/main.tf': S3 };
    expect(touched(files, 'a/data.json', 'b/data.json')).toEqual({ a: ['a/data.json changed, which it reads'] });
    const both = { 'a/main.tf': { ...S3, ...reads('x.tfvars') } };
    expect(touched(both, 'a/x.tfvars')).toEqual({
      a: ['a/x.tfvars changed', 'a/x.tfvars changed, which it reads'],
    });
  });

  test('nothing, where nothing is', () => {
    expect(touched({ 'a/main.tf': S3 })).toEqual({});
    expect(touched({}, 'a/main.tf', 'a.tfvars')).toEqual({});
  });
});
