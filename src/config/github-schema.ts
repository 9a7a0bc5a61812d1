import { key } from './schema-keys.ts';
import { text, texts } from './schema-parts.ts';
import { absolutePath, count, url } from './server-values.ts';

/** What the server's config says of GitHub. */
export const github = {
  api_url: key(
    url(['https:', 'http:']).prefault('https://api.github.com'),
    'The REST API; `https://HOST/api/v3` for GitHub Enterprise Server.',
    'GITHUB_API_URL',
  ),
  clone_url: key(
    text
      .refine(
        (value) => /^(?:https?|file):\/\//.test(value) && value.includes('{repo}'),
        'must begin with https://, http:// or file:// and contain {owner} and {repo}',
      )
      .optional(),
    'Where git finds a repository; `{owner}` and `{repo}` are filled in. Default: beside the API.',
    'GITHUB_CLONE_URL',
  ),
  token: key(text.optional(), 'A token to work with instead of an App.', 'GITHUB_TOKEN'),
  token_path: key(absolutePath.optional(), 'A file with the token.', 'GITHUB_TOKEN_PATH'),
  app_id: key(text.optional(), 'The App’s id.', 'GITHUB_APP_ID'),
  private_key: key(text.optional(), 'The App’s private key, PEM.', 'GITHUB_PRIVATE_KEY'),
  private_key_path: key(absolutePath.optional(), 'A file with the App’s private key.', 'GITHUB_PRIVATE_KEY_PATH'),
  webhook_secret: key(
    texts.prefault([]),
    'Secrets of the webhook; while one is replaced, both.',
    'GITHUB_WEBHOOK_SECRET',
  ),
  ca_path: key(
    absolutePath.optional(),
    'A file with certificates to trust beside the system’s, PEM.',
    'GITHUB_CA_PATH',
  ),
  writes_per_minute: key(
    count.prefault(80),
    'Comments, edits and statuses a minute at most. GitHub allows 80; an Enterprise Server without secondary limits takes more.',
    'GITHUB_WRITES_PER_MINUTE',
  ),
  writes_per_hour: key(
    count.prefault(500),
    'The same an hour. Set it lower when others write with the same credential.',
    'GITHUB_WRITES_PER_HOUR',
  ),
};
