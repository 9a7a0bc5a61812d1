import { expect, test } from 'vitest';
import { fileSecrets } from '../../../workers/project-secrets.ts';

test.each([
  ['one line is a secret as a whole', 'a-token-and-nothing-else\n', ['a-token-and-nothing-else']],
  [
    'JSON: what is called a secret, at any depth',
    '{\n"type": "service_account",\n"auth": { "private_key": "key-word" },\n"client_email": "x@example.com"\n}',
    ['key-word'],
  ],
  [
    'lines of name and value',
    '[default]\nregion = eu-north-1\naws_access_key_id = AKIDWORD\naws_secret_access_key="secret-word"\n',
    ['AKIDWORD', 'secret-word'],
  ],
  ['nothing', '', []],
])('a credential file: %s', (_what, text, secrets) => {
  expect(fileSecrets(text)).toEqual(secrets);
});
