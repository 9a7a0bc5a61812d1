import { describe, expect, test } from 'vitest';
import { loadServerConfig } from '../../../src/config/load-server-config.ts';
import type { NotificationConfig } from '../../../src/config/server-config.ts';

const SLACK_URL = 'https://hooks.slack.example/services/T0/B0/canary';
const FILES: Readonly<Record<string, string>> = { '/secret': 'a-long-signing-key\n', '/ca.pem': 'PEM' };

function load(yaml: string) {
  const readFile = (path: string) => {
    if (path === '/c.yaml') return yaml;
    const text = FILES[path];
    if (text === undefined) throw new Error(`ENOENT ${path}`);
    return text;
  };
  const environment = { HOME: '/home/x', HOLDFAST_CONFIG: '/c.yaml', SLACK_URL };
  return loadServerConfig(environment, { readFile, workingDirectory: '/', purpose: 'look' });
}

function receivers(yaml: string): readonly NotificationConfig[] {
  const loaded = load(yaml);
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config.notifications;
}

function problems(yaml: string): readonly string[] {
  const loaded = load(yaml);
  return 'problems' in loaded ? loaded.problems.map(({ line, message }) => `${line} ${message}`) : [];
}

describe('notifications', () => {
  test('are nobody’s where nothing is written', () => {
    expect(receivers('log_level: warn\n')).toEqual([]);
  });

  test('a Slack channel whose address is in the environment is told everything', () => {
    const [slack, ...others] = receivers('notifications:\n  - {name: ops, kind: slack, url: {from_env: SLACK_URL}}\n');
    expect(others).toEqual([]);
    expect(slack).toMatchObject({ name: 'ops', kind: 'slack', events: [], repositories: [], allowLinkLocal: false });
    expect(slack?.url.reveal()).toBe(SLACK_URL);
    expect(JSON.stringify(slack)).not.toContain('canary');
  });

  test('a webhook has its key in a file, and chooses', () => {
    const [webhook] = receivers(`notifications:
  - name: audit
    kind: webhook
    url: http://10.0.0.5:8080/hook
    secret: {from_file: /secret}
    events: [drift_opened, drift_resolved]
    repositories: ['github.com/acme/*']
    ca_path: /ca.pem
    allow_link_local: yes
`);
    expect(webhook).toMatchObject({
      kind: 'webhook',
      events: ['drift_opened', 'drift_resolved'],
      repositories: ['github.com/acme/*'],
      ca: 'PEM',
      allowLinkLocal: true,
    });
    expect(webhook?.kind === 'webhook' && webhook.secret.reveal()).toBe('a-long-signing-key');
  });

  test.each([
    ['url: ftp://x', 'url: must be a URL that begins with https:// or http://, without a user'],
    ['url: "https://me:canary@x.example"', 'url: must be a URL that begins with https:// or http://, without a user'],
    ['url: {from_env: NOWHERE}', 'url: the server’s environment has no variable NOWHERE'],
    ['url: {from_file: /nowhere}', 'url: /nowhere cannot be read: ENOENT /nowhere'],
    ['url: {from: x}', 'url: must be text, {from_env: NAME} or {from_file: PATH}'],
    ['uri: https://x.example', 'notifications[0].uri: unknown key'],
  ])('%s is a problem', (line, problem) => {
    const found = problems(`notifications:\n  - name: a\n    kind: slack\n    ${line}\n`);
    expect(found.join('\n')).toContain(problem);
    expect(found.join('\n')).not.toContain('canary');
  });

  test.each([
    ['kind: webhook', 'secret: is required: without it anybody could send what looks like this'],
    ['kind: webhook\n    secret: short', 'secret: must have 16 characters or more'],
    ['kind: slack\n    secret: a-long-signing-key', 'secret: is for a `webhook`; Slack knows us by the address'],
    ['kind: slack\n    events: [drift_openend]', '"drift_openend" is not a valid value'],
    ['kind: slack\n    repositories: ["[x"]', 'invalid pattern'],
    ['kind: slack\n    ca_path: /nowhere', 'ca_path: /nowhere cannot be read'],
    ['kind: mail', '"mail" is not a valid value'],
  ])('%s is a problem', (line, problem) => {
    const found = problems(`notifications:\n  - name: a\n    url: https://x.example\n    ${line}\n`);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(problem);
  });

  test('two of one name cannot be told apart', () => {
    const one = '{name: a, kind: slack, url: https://x.example}';
    expect(problems(`notifications:\n  - ${one}\n  - ${one}\n`)).toEqual([
      '3 notifications[1].name: a is the name of another receiver, too',
    ]);
  });
});
