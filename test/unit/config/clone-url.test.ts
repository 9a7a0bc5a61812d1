import { expect, test } from 'vitest';
import { loadServerConfig } from '../../../src/config/load-server-config.ts';

function githubOf(url: string) {
  const environment = {
    HOLDFAST_REPOSITORIES: 'github.com/acme/*',
    HOLDFAST_GITHUB_TOKEN: 'token-token-token',
    HOLDFAST_GITHUB_WEBHOOK_SECRET: 'secret-secret',
    HOLDFAST_GITHUB_CLONE_URL: url,
  };
  const loaded = loadServerConfig(environment, { readFile: () => '', workingDirectory: '/', purpose: 'serve' });
  if (!('config' in loaded) || !loaded.config.github) throw new Error('not valid');
  return loaded.config.github;
}

test.each([
  ['https://git.example.com/{owner}/{repo}.git', 'https://git.example.com/{owner}/{repo}.git', undefined, undefined],
  ['https://bot:p%40ss@git.example.com/{owner}/{repo}', 'https://git.example.com/{owner}/{repo}', 'bot', 'p@ss'],
  ['http://only-a-token@localhost:80/{owner}/{repo}', 'http://localhost:80/{owner}/{repo}', 'only-a-token', ''],
  ['file:///srv/@x/{owner}/{repo}.git', 'file:///srv/@x/{owner}/{repo}.git', undefined, undefined],
  ['https://h/{owner}/{repo}@x', 'https://h/{owner}/{repo}@x', undefined, undefined],
])('a credential in the clone URL %s is taken out of it', (url, plain, username, password) => {
  const { cloneUrl, cloneCredential } = githubOf(url);
  expect(cloneUrl).toBe(plain);
  expect(cloneCredential?.username).toBe(username);
  expect(cloneCredential?.password.reveal()).toBe(password);
});
