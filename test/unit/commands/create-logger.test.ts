import { describe, expect, test } from 'vitest';
import { configMasker, createLogger } from '../../../src/commands/create-logger.ts';
import { loadServerConfig } from '../../../src/config/load-server-config.ts';

const YAML = `
credentials:
  - name: cloud
    phases: [plan]
    env: { CLOUD_KEY: cloud-key-canary, REGION: frankfurt }
notifications:
  - { name: hook, kind: webhook, url: 'https://hook.example/url-canary', secret: signing-key-canary }
  - { name: chat, kind: slack, url: 'https://chat.example/chat-canary' }
`;
const ENVIRONMENT = {
  HOLDFAST_CONFIG: '/etc/holdfast.yaml',
  HOLDFAST_REPOSITORIES: 'github.com/acme/*',
  HOLDFAST_GITHUB_TOKEN: 'token-canary-1',
  HOLDFAST_GITHUB_CLONE_URL: 'https://git:clone-canary-2@github.com/{owner}/{repo}.git',
  HOLDFAST_GITHUB_WEBHOOK_SECRET: 'webhook-canary-3',
  HOLDFAST_WEB_TOKEN: 'web-canary-4-and-more',
  HOLDFAST_DATABASE_URL: 'postgres://holdfast:data%21canary-5@db/holdfast',
  HOLDFAST_REDIS_URL: 'redis://:redis-canary-6@queue',
  HTTPS_PROXY: 'http://user:proxy-canary-7@proxy:3128',
};

function logOf(fields: object, message: string): string {
  const loaded = loadServerConfig(ENVIRONMENT, { readFile: () => YAML, workingDirectory: '/', purpose: 'serve' });
  if (!('config' in loaded)) throw new Error(JSON.stringify(loaded.problems));
  const lines: string[] = [];
  createLogger('info', configMasker(loaded.config), (line) => lines.push(line)).info(fields, message);
  return lines.join('');
}

describe('the log', () => {
  test('shows nothing that the config knows to be secret, whatever it stands in', () => {
    const everything = JSON.stringify({ ...ENVIRONMENT, YAML }).replaceAll('%21', '!');
    const line = logOf(
      { error: new Error(`failed: ${everything}`), url: ENVIRONMENT.HOLDFAST_DATABASE_URL },
      everything,
    );
    expect(everything.match(/canary/g)).toHaveLength(11);
    expect(line).not.toContain('canary');
    expect(line).toContain('[masked]');
  });

  test('an ordinary word is no reason to lose it everywhere', () => {
    expect(logOf({}, 'a run in frankfurt')).toContain('a run in frankfurt');
  });

  test('of an error come its name, words, code, place and causes, and nothing that was hung on it', () => {
    const cause = Object.assign(new Error('below'), { code: 'ECONNREFUSED', request: { headers: { cookie: 'x' } } });
    const error = Object.assign(new TypeError('above', { cause }), { stdout: 'what a program said' });
    const { error: logged } = JSON.parse(logOf({ error }, 'it failed')) as { error: Record<string, unknown> };
    expect(logged).toMatchObject({
      type: 'TypeError',
      message: 'above',
      cause: { type: 'Error', message: 'below', code: 'ECONNREFUSED' },
    });
    expect(logged['stack']).toContain('create-logger.test.ts');
    expect(JSON.stringify(logged)).not.toMatch(/cookie|program/);
  });
});
