import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadServerConfig, type LoadOptions } from '../../../src/config/load-server-config.ts';
import type { ServerConfig } from '../../../src/config/server-config.ts';
import { listVariables, type Environment } from '../../../src/config/server-environment.ts';

const BASE: Environment = {
  HOME: '/home/x',
  HOLDFAST_REPOSITORIES: 'github.com/acme/*',
  HOLDFAST_GITHUB_TOKEN: 'ghp_canary',
  HOLDFAST_GITHUB_WEBHOOK_SECRET: 'whsec',
};
const KEY = Buffer.alloc(32, 7);

function load(
  environment: Environment,
  file?: string,
  files: Record<string, string> = {},
  purpose: LoadOptions['purpose'] = 'serve',
) {
  const all: Record<string, string> = file === undefined ? files : { ...files, '/c.yaml': file };
  const readFile = (path: string) => {
    const text = all[path];
    if (text === undefined) throw new Error(`ENOENT ${path}`);
    return text;
  };
  const variables = file === undefined ? environment : { ...environment, HOLDFAST_CONFIG: '/c.yaml' };
  return loadServerConfig(variables, { readFile, workingDirectory: '/work', purpose });
}

function config(environment: Environment = {}, file?: string, files?: Record<string, string>): ServerConfig {
  const result = load({ ...BASE, ...environment }, file, files);
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

function problems(environment: Environment, file?: string, files?: Record<string, string>): readonly string[] {
  const result = load({ ...BASE, ...environment }, file, files);
  return 'problems' in result
    ? result.problems.map(
        (one) =>
          `${one.file}:${one.line ?? ''} ${one.message}${one.suggestion === undefined ? '' : ` -> ${one.suggestion}`}`,
      )
    : [];
}

describe('the environment', () => {
  test('the variables that are kept stable', () => {
    const names = listVariables().map((variable) => variable.name);
    expect(names).toEqual(
      expect.arrayContaining(
        'LISTEN PUBLIC_URL WEB_TOKEN DATA_DIR DATABASE_URL REDIS_URL REPOSITORIES TRIGGERS SANDBOX SANDBOX_NETWORK SANDBOX_MOUNTS PARALLELISM GITHUB_API_URL GITHUB_CLONE_URL GITHUB_TOKEN GITHUB_APP_ID GITHUB_PRIVATE_KEY GITHUB_PRIVATE_KEY_PATH GITHUB_WEBHOOK_SECRET'
          .split(' ')
          .map((name) => `HOLDFAST_${name}`),
      ),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  test('defaults', () => {
    expect(config()).toMatchObject({
      listen: { host: '127.0.0.1', port: 4141 },
      publicUrl: undefined,
      dataDir: '/home/x/.local/share/holdfast',
      databaseUrl: undefined,
      repositories: ['github.com/acme/*'],
      triggers: ['holdfast'],
      sandbox: { kind: 'bubblewrap', network: 'egress', mounts: [], memoryBytes: 2 * 2 ** 30 },
      parallelism: { global: 4, perRepository: 4 },
      checkoutStrategy: 'merge',
      forks: 'off',
      autoplanDrafts: false,
      automerge: false,
      verify: 'block',
      repoLocks: 'on_plan',
      github: {
        apiUrl: 'https://api.github.com',
        host: 'github.com',
        cloneUrl: 'https://github.com/{owner}/{repo}.git',
      },
    });
  });

  test('values of every kind', () => {
    const got = config({
      HOLDFAST_LISTEN: '[::1]:0',
      HOLDFAST_PUBLIC_URL: 'https://holdfast.example/',
      HOLDFAST_DATA_DIR: './data',
      HOLDFAST_TRIGGERS: 'holdfast, atlantis',
      HOLDFAST_SANDBOX: 'none',
      HOLDFAST_SANDBOX_NETWORK: 'host',
      HOLDFAST_SANDBOX_MOUNTS: '/a:ro,/b:rw,/c',
      HOLDFAST_SANDBOX_MEMORY: '1.5GiB',
      HOLDFAST_PARALLELISM: '7',
      HOLDFAST_PARALLELISM_PER_REPOSITORY: '2',
      HOLDFAST_TIMEOUT_PLAN: '90s',
      HOLDFAST_AUTOMERGE: 'yes',
      HOLDFAST_REDIS_URL: '',
      HOLDFAST_ENCRYPTION_KEY: KEY.toString('hex'),
      HOLDFAST_PREVIOUS_ENCRYPTION_KEYS: KEY.toString('base64'),
      HTTPS_PROXY: 'http://proxy:3128',
      NO_PROXY: 'a, b',
    });
    expect(got).toMatchObject({
      listen: { host: '::1', port: 0 },
      publicUrl: 'https://holdfast.example',
      dataDir: '/work/data',
      triggers: ['holdfast', 'atlantis'],
      sandbox: {
        kind: 'none',
        network: 'host',
        mounts: [
          { path: '/a', mode: 'ro' },
          { path: '/b', mode: 'rw' },
          { path: '/c', mode: 'ro' },
        ],
        memoryBytes: 1.5 * 2 ** 30,
      },
      parallelism: { global: 7, perRepository: 2 },
      automerge: true,
      redisUrl: undefined,
      noProxy: ['a', 'b'],
    });
    expect(got.timeouts.planMs).toBe(90_000);
    expect(got.proxyUrl?.reveal()).toBe('http://proxy:3128');
    expect(Buffer.from(got.encryptionKey?.reveal() ?? []).equals(KEY)).toBe(true);
    expect(Buffer.from(got.previousEncryptionKeys[0]?.reveal() ?? []).equals(KEY)).toBe(true);
  });

  test('every problem at once, without repeating what may be secret', () => {
    const found = problems({
      HOLDFAST_LISEN: 'x',
      HOLDFAST_LISTEN: 'localhost',
      HOLDFAST_DATABASE_URL: 'mysql://user:canary@host/db',
      HOLDFAST_SANDBOX: 'docker',
      HOLDFAST_SANDBOX_MOUNTS: 'data:rx',
      HOLDFAST_PARALLELISM: 'many',
      HOLDFAST_TIMEOUT_INIT: '5 weeks',
      HOLDFAST_SANDBOX_DISK: '4GB',
      HOLDFAST_ENCRYPTION_KEY: 'canary',
      HOLDFAST_WEB_TOKEN: 'canary',
      HOLDFAST_REPOSITORIES: 'a[b',
      HOLDFAST_TRIGGERS: 'two words',
    });
    expect(found.map((line) => line.replace(/^environment: (\w+).*/s, '$1')).sort()).toEqual(
      [
        'HOLDFAST_DATABASE_URL',
        'HOLDFAST_ENCRYPTION_KEY',
        'HOLDFAST_LISEN',
        'HOLDFAST_LISTEN',
        'HOLDFAST_PARALLELISM',
        'HOLDFAST_REPOSITORIES',
        'HOLDFAST_SANDBOX',
        'HOLDFAST_SANDBOX_DISK',
        'HOLDFAST_SANDBOX_MOUNTS',
        'HOLDFAST_SANDBOX_MOUNTS',
        'HOLDFAST_TIMEOUT_INIT',
        'HOLDFAST_TRIGGERS',
        'HOLDFAST_WEB_TOKEN',
      ].sort(),
    );
    expect(found.join('\n')).not.toContain('canary');
    expect(found).toContain('environment: HOLDFAST_LISEN: unknown variable -> HOLDFAST_LISTEN');
  });

  test('other programs’ variables are left alone', () => {
    expect(problems({ PATH: '/bin', NOT_HOLDFAST_X: '1' })).toEqual([]);
  });
});

describe('the file', () => {
  test('is read, and a variable wins over it', () => {
    const got = config(
      { HOLDFAST_PARALLELISM: '9' },
      'triggers: [atlantis]\nparallelism: {global: 2, per_repository: 3}\nlisten: 0.0.0.0:80\n',
    );
    expect(got).toMatchObject({
      triggers: ['atlantis'],
      parallelism: { global: 9, perRepository: 3 },
      listen: { host: '0.0.0.0', port: 80 },
    });
  });

  test.each([
    ['listne: x', '/c.yaml:1 listne: unknown key -> listen'],
    ['sandbox: {netwrok: none}', '/c.yaml:1 sandbox.netwrok: unknown key -> network'],
    ['sandbox: none', '/c.yaml:1 sandbox: must be a mapping of keys'],
    ['- a', '/c.yaml:1 the file must be a mapping of keys'],
    ['', '/c.yaml:1 the file is empty; if that is meant'],
    ['listen: 5', '/c.yaml:1 listen: must be host:port'],
    ['trusted_proxies: [proxy]', '/c.yaml:1 trusted_proxies[0]: must be an IP address'],
    ['trusted_proxies: [10.0.0.0/33]', '/c.yaml:1 trusted_proxies[0]: must be an IP address, or a network'],
    ['trusted_proxies: [10.0.0.0/]', '/c.yaml:1 trusted_proxies[0]: must be an IP address, or a network'],
    ['trusted_proxies: ["::1/1/1"]', '/c.yaml:1 trusted_proxies[0]: must be an IP address, or a network'],
    ['triggers: []', '/c.yaml:1 triggers: at least one word is needed'],
    ['repos: [{}]', '/c.yaml:1 repos[0].id: is required'],
    ['repos: [{id: /?/}]', '/c.yaml:1 repos[0].id: parsing /?/: missing argument'],
    ['repos: [{id: name}]', '/c.yaml:1 repos[0].id: must be host/owner/name'],
    ['repos: [{id: /open}]', '/c.yaml:1 repos[0].id: parsing /open: it does not end with a slash'],
    ['repos: [{id: /x/, branch: main}]', '/c.yaml:1 repos[0].branch: must be a regular expression'],
    ['repos: [{id: /x/, repo_config_file: /etc/passwd}]', "repo_config_file: must not start with a slash '/'"],
    [
      'repos: [{id: /x/, repo_config_file: ../../etc/passwd}]',
      'repo_config_file: must not contain parent directory path',
    ],
    ['repos: [{id: /x/, workflow: nope}]', '/c.yaml:1 repos[0].workflow: workflow "nope" is not defined'],
    [
      'repos: [{id: /x/, allowed_workflows: [nope]}]',
      '/c.yaml:1 repos[0].allowed_workflows: workflow "nope" is not defined',
    ],
    ['workflows: {nice: ~}\nrepos: [{id: /x/, workflow: niec}]', 'did you mean "nice"?'],
    ['repos: [{id: /x/, allowed_overrides: [invalid]}]', 'allowed_overrides[0]: "invalid" is not a valid value'],
    ['repos: [{id: /x/, apply_requirements: [invalid]}]', 'apply_requirements[0]: "invalid" is not a valid value'],
    ['repos: [{id: /x/, pre_workflow_hooks: []}]', 'repos[0].pre_workflow_hooks: known to Atlantis'],
    ['repos: [{id: /x/, policy_check: true}]', 'repos[0].policy_check: known to Atlantis'],
    ['policies: {}', '/c.yaml:1 policies: known to Atlantis'],
    ['team_authz: {}', '/c.yaml:1 team_authz: known to Atlantis'],
    ['repos: [{id: /x/, silence_pr_comments: [invalid]}]', '"invalid" is not a valid value'],
    ['permissions: {apply: [core]}', 'permissions.apply[0]: must be organisation/team'],
    ['permissions: {destroy: []}', 'permissions.destroy: unknown key'],
    ['credentials: [{name: a, phases: []}]', 'credentials[0].phases: at least one phase is needed'],
    [
      'credentials: [{name: a, phases: [plan], env: {A: {from_env: NOT_THERE}}}]',
      'credentials[0].env.A: the server’s environment has no variable NOT_THERE',
    ],
    [
      'credentials: [{name: a, phases: [plan], env: {A: {from_file: /nope}}}]',
      'credentials[0].env.A: /nope cannot be read',
    ],
    ['credentials: [{name: a, phases: [plan], env: {A-B: x}}]', 'letters, digits and underscores'],
    ['credentials: [{name: a, phases: [plan], files: [{source: rel, target: /x}]}]', 'must be an absolute path'],
    ['retention: {runs: 335h}', 'retention.runs: must be 14d or more'],
    ['terraform: {binaries: [{version: ">1", path: /x}]}', 'must be an exact version'],
    ['github: {app_id: 5, token: x}', 'github.token: cannot be set together'],
    ['github: {clone_url: "ssh://x/{repo}"}', 'github.clone_url: must begin with'],
    ['encryption_key_path: /nope', 'encryption_key_path: /nope cannot be read'],
  ])('%s', (file, wanted) => {
    const found = problems({}, file);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(wanted);
  });

  test('a file that cannot be read is named', () => {
    expect(problems({ HOLDFAST_CONFIG: '/nope.yaml' })).toEqual([
      'environment: HOLDFAST_CONFIG: /nope.yaml cannot be read: ENOENT /nope.yaml',
    ]);
  });

  test('Atlantis’ keys that protect nothing are warnings', () => {
    const result = load(
      BASE,
      'metrics: {}\nrepos: [{id: /x/, policy_check: false, allowed_overrides: [workflow, repo_locking], import_requirements: [approved]}]\n',
    );
    expect(result.warnings.map((one) => one.message.split(':')[0])).toEqual([
      'metrics',
      'repos[0].policy_check',
      'repos[0].import_requirements',
    ]);
    expect('config' in result && result.config.repos[0]?.allowedOverrides).toEqual(['workflow']);
  });

  test('rules, workflows and permissions', () => {
    const got = config(
      {},
      `
repos:
- id: /.*/
  branch: /^main$/
  apply_requirements: [approved]
  allowed_overrides: [workflow]
  allow_custom_workflows: true
  repo_locks: {mode: on_apply}
  autodiscover: {mode: enabled}
  permissions: {apply: [acme/core]}
workflows:
  special: {plan: {steps: [{run: x}]}}
permissions: {unlock: [acme/ops]}
`,
    );
    expect(got.repos[0]).toMatchObject({
      id: '/.*/',
      branch: '^main$',
      applyRequirements: ['approved'],
      planRequirements: undefined,
      repoLocks: 'on_apply',
      autodiscover: { mode: 'enabled', ignorePaths: [] },
      permissions: { apply: ['acme/core'] },
    });
    expect([...got.workflows.keys()]).toEqual(['default', 'special']);
    expect(got.permissions).toEqual({ unlock: ['acme/ops'] });
  });

  test('credentials are resolved and kept secret', () => {
    const file = `
credentials:
- name: aws
  phases: [plan, apply]
  selector: {dirs: ['prod/**']}
  env: {A: text-canary, B: {from_env: CLOUD}, C: {from_file: /key}}
  files: [{source: /etc/a, target: /run/a}]
  command: [vault, read]
`;
    const [credential] = config({ CLOUD: 'env-canary' }, file, { '/key': 'file-canary\n' }).credentials;
    expect(Object.entries(credential?.env ?? {}).map(([name, value]) => [name, value.reveal()])).toEqual([
      ['A', 'text-canary'],
      ['B', 'env-canary'],
      ['C', 'file-canary'],
    ]);
    expect(credential).toMatchObject({
      phases: ['plan', 'apply'],
      selector: { repositories: [], dirs: ['prod/**'] },
      command: ['vault', 'read'],
    });
    expect(JSON.stringify(credential)).not.toContain('canary');
  });

  test('a key from a file', () => {
    const got = config({ HOLDFAST_ENCRYPTION_KEY_PATH: '/k' }, undefined, { '/k': `${KEY.toString('base64')}\n` });
    expect(Buffer.from(got.encryptionKey?.reveal() ?? []).equals(KEY)).toBe(true);
    expect(problems({ HOLDFAST_ENCRYPTION_KEY_PATH: '/k' }, undefined, { '/k': 'short' })[0]).toContain(
      'must be 32 bytes',
    );
    expect(
      problems({ HOLDFAST_ENCRYPTION_KEY_PATH: '/k', HOLDFAST_ENCRYPTION_KEY: KEY.toString('hex') }, undefined, {
        '/k': KEY.toString('hex'),
      })[0],
    ).toContain('cannot be set together');
  });
});

describe('GitHub', () => {
  const app = { HOLDFAST_GITHUB_TOKEN: '', HOLDFAST_GITHUB_APP_ID: '12' };

  test('as an App, with the key on one line or in a file', () => {
    const inline = config({ ...app, HOLDFAST_GITHUB_PRIVATE_KEY: 'a\\nb' }).github?.auth;
    expect(inline?.kind === 'app' && [inline.appId, inline.privateKey.reveal()]).toEqual(['12', 'a\nb']);
    const file = config({ ...app, HOLDFAST_GITHUB_PRIVATE_KEY_PATH: '/pem' }, undefined, { '/pem': 'PEM\n' }).github
      ?.auth;
    expect(file?.kind === 'app' && file.privateKey.reveal()).toBe('PEM');
    expect(
      problems({ ...app, HOLDFAST_GITHUB_PRIVATE_KEY: 'x', HOLDFAST_GITHUB_PRIVATE_KEY_PATH: '/pem' }, undefined, {
        '/pem': 'x',
      })[0],
    ).toContain('cannot be set together');
  });

  test.each([
    ['https://ghe.example:8443/api/v3/', 'ghe.example', 'https://ghe.example:8443/{owner}/{repo}.git'],
    ['http://127.0.0.1:9999', '127.0.0.1', 'http://127.0.0.1:9999/{owner}/{repo}.git'],
    ['https://api.acme.ghe.com', 'api.acme.ghe.com', 'https://acme.ghe.com/{owner}/{repo}.git'],
  ])('at %s', (api, host, clone) => {
    expect(config({ HOLDFAST_GITHUB_API_URL: api }).github).toMatchObject({ host, cloneUrl: clone });
  });

  test('its own clone URL', () => {
    expect(config({ HOLDFAST_GITHUB_CLONE_URL: 'file:///srv/{owner}/{repo}.git' }).github?.cloneUrl).toBe(
      'file:///srv/{owner}/{repo}.git',
    );
  });

  test('several webhook secrets while one is replaced', () => {
    expect(
      config({ HOLDFAST_GITHUB_WEBHOOK_SECRET: 'new,old' }).github?.webhookSecrets.map((one) => one.reveal()),
    ).toEqual(['new', 'old']);
  });

  test.each([
    [{ HOLDFAST_GITHUB_WEBHOOK_SECRET: '' }, 'github.webhook_secret: is required'],
    [{ HOLDFAST_GITHUB_TOKEN: '' }, 'github: is required: a token'],
    [{ HOLDFAST_REPOSITORIES: '' }, 'repositories: is required'],
    [app, 'github.private_key: is required with app_id'],
    [{ HOLDFAST_GITHUB_TOKEN: '', HOLDFAST_GITHUB_PRIVATE_KEY: 'x' }, 'github.app_id: is required with private_key'],
  ])('is needed to serve: %o', (environment, wanted) => {
    expect(problems(environment).join('\n')).toContain(wanted);
  });

  test('is not needed to look', () => {
    expect(load({}, undefined, {}, 'look')).toHaveProperty('config');
  });
});

test('never throws, whatever the environment holds', () => {
  const names = fc.constantFrom(...listVariables().map((variable) => variable.name));
  const pairs = fc.array(fc.tuple(names, fc.string({ unit: 'binary', maxLength: 20 })), { maxLength: 6 });
  fc.assert(
    fc.property(pairs, (set) => {
      expect(typeof load(Object.fromEntries(set))).toBe('object');
    }),
    { numRuns: 150 },
  );
});
