import { afterAll, describe, expect, test } from 'vitest';
import { createHclParser } from '../../../src/adapters/hcl2json/index.ts';
import { findDeclaredSecrets, variableFileSecrets } from '../../../src/core/declared-secrets.ts';

const parser = createHclParser();
afterAll(() => parser.close());

async function bodyOf(text: string, path = 'main.tf') {
  const [file] = await parser.parse([{ path, text }]);
  if (file === undefined || !('body' in file)) throw new Error('not readable');
  return file.body;
}

describe('findDeclaredSecrets', () => {
  test('literal defaults of sensitive variables, of any shape, and their names', async () => {
    const body = await bodyOf(`
      variable "plain" { default = "visible-value" }
      variable "password" {
        sensitive = true
        default   = "hunter2-hunter2"
      }
      variable "logins" {
        sensitive = true
        default   = { ann = "ann-word", pins = [123456, true] }
      }`);
    const { variables, values } = findDeclaredSecrets([body]);
    expect(variables.toSorted()).toEqual(['logins', 'password']);
    expect(values.toSorted()).toEqual(['123456', 'ann-word', 'hunter2-hunter2']);
  });

  test('arguments of backends and providers by the look of their names', async () => {
    const body = await bodyOf(`
      terraform {
        backend "http" {
          address  = "https://state.example.com/x"
          password = "state-word"
        }
      }
      provider "cloud" {
        region    = "eu-north-1"
        api_token = "provider-word"
        skip_credentials_validation = true
        auth {
          client_secret = "nested-word"
        }
      }`);
    expect(findDeclaredSecrets([body]).values.toSorted()).toEqual(['nested-word', 'provider-word', 'state-word']);
  });

  test('arguments of resources and modules only where the name ends like a secret, and only literals', async () => {
    const body = await bodyOf(`
      resource "cloud_object" "secret" {
        name        = "visible-name"
        secret      = "object-word"
        secret_name = "visible-secret-name"
        token_type  = "visible-type"
        password    = var.password
        login {
          admin_password = "nested-word"
        }
      }
      module "shop" {
        source  = "./shop"
        api_key = "module-word"
        token   = "x-\${var.token}"
      }`);
    expect(findDeclaredSecrets([body]).values.toSorted()).toEqual(['module-word', 'nested-word', 'object-word']);
  });

  test('files of variables: what is sensitive, and what is called so', async () => {
    const body = await bodyOf('pin = "pin-word"\nregion = "eu-north-1"\ndb_password = "file-word"\n', 'x.auto.tfvars');
    expect(variableFileSecrets(body, new Set(['pin'])).toSorted()).toEqual(['file-word', 'pin-word']);
  });
});
