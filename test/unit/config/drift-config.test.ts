import { describe, expect, test } from 'vitest';
import { readRepositoryConfig } from '../../../src/config/repo-config.ts';
import { readServerConfig } from '../../../src/config/load-server-config.ts';
import type { DriftConfig } from '../../../src/config/server-config.ts';
import { resolveDriftSettings } from '../../../src/core/drift/settings.ts';
import { buildDriftKeys } from '../../support/builders.ts';

const LOOK = { readFile: () => '', workingDirectory: '/', purpose: 'look' } as const;

function server(text: string, environment: Record<string, string> = {}): DriftConfig {
  const result = readServerConfig(text, 's.yaml', environment, LOOK);
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.config.drift;
}

function problems(text: string, environment: Record<string, string> = {}): readonly string[] {
  const result = readServerConfig(text, 's.yaml', environment, LOOK);
  return 'problems' in result ? result.problems.map(({ line, message }) => `${line}: ${message}`) : [];
}

function repositoryProblems(text: string): readonly string[] {
  const result = readRepositoryConfig(`version: 3\n${text}`, 'holdfast.yaml');
  return 'problems' in result ? result.problems.map(({ line, message }) => `${line}: ${message}`) : [];
}

function repository(text: string) {
  const result = readRepositoryConfig(`version: 3\n${text}`, 'holdfast.yaml');
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

const ignoring = (address: string, reason: string, expires: string) =>
  `ignore: [{address: ${address}, reason: ${reason}, owner: o, expires: ${expires}}]`;

/** Every key, as a repository may write it. */
const ALL = `
  enabled: yes
  schedule: "0 3 * * 1-5"
  timezone: Europe/Berlin
  windows:
  - {kind: allow, schedule: "0 22 * * *", duration: 8h}
  - {kind: deny, schedule: "0 0 20 12 *", duration: 14d, timezone: Asia/Tokyo}
  mode: off
  confirmations: 3
  error_grace: 30m
  labels: [drift, infra]
  assignees: [ann]
  ignore:
  - {address: "aws_instance.*", attribute: "tags.*", reason: " tagged by the scanner ", owner: ann, expires: 2026-12-31}
  - {address: "module.x.**", reason: ours, owner: bob, expires: "2026-12-31T18:00:00+01:00"}
`;
const ALL_KEYS = {
  enabled: true,
  schedule: { kind: 'cron', cron: '0 3 * * 1-5' },
  timezone: 'Europe/Berlin',
  windows: [
    { kind: 'allow', cron: '0 22 * * *', durationMs: 8 * 3_600_000, timezone: undefined },
    { kind: 'deny', cron: '0 0 20 12 *', durationMs: 14 * 86_400_000, timezone: 'Asia/Tokyo' },
  ],
  mode: 'off',
  confirmations: 3,
  errorGraceMs: 30 * 60_000,
  labels: ['drift', 'infra'],
  assignees: ['ann'],
  ignore: [
    {
      address: 'aws_instance.*',
      attribute: 'tags.*',
      reason: 'tagged by the scanner',
      owner: 'ann',
      expires: new Date('2027-01-01T00:00:00Z'),
    },
    {
      address: 'module.x.**',
      attribute: '*',
      reason: 'ours',
      owner: 'bob',
      expires: new Date('2026-12-31T17:00:00Z'),
    },
  ],
};

describe('the server', () => {
  test('when nothing is written, the settings are those of the domain', () => {
    const { defaults, limits } = server('{}');
    const layers = (keys: readonly (typeof defaults)[]) =>
      resolveDriftSettings({ server: keys, repository: undefined, project: undefined });
    expect(layers([defaults])).toEqual(layers([]));
    expect(limits).toEqual({ maxConcurrent: undefined, perRepository: undefined, perCredential: undefined });
  });

  test('every key', () => {
    const text = `drift:${ALL}  report: dashboard\n  max_open_issues: 3\n  max_concurrent: 4\n  max_concurrent_per_repository: 2\n  max_concurrent_per_credential: 1\n`;
    expect(server(text)).toEqual({
      defaults: { ...ALL_KEYS, report: 'dashboard', maxOpenIssues: 3 },
      limits: { maxConcurrent: 4, perRepository: 2, perCredential: 1 },
    });
  });

  test('from the environment', () => {
    const got = server('{}', {
      HOLDFAST_DRIFT: 'off',
      HOLDFAST_DRIFT_EVERY: '30m',
      HOLDFAST_DRIFT_TIMEZONE: 'Europe/Berlin',
      HOLDFAST_DRIFT_MODE: 'off',
      HOLDFAST_DRIFT_REPORT: 'none',
      HOLDFAST_DRIFT_MAX_CONCURRENT: '7',
    });
    expect(got).toMatchObject({
      defaults: {
        enabled: false,
        schedule: { kind: 'every', everyMs: 30 * 60_000 },
        timezone: 'Europe/Berlin',
        mode: 'off',
        report: 'none',
      },
      limits: { maxConcurrent: 7 },
    });
    expect(problems('{}', { HOLDFAST_DRIFT_TIMEZONE: 'Berlin' })).toHaveLength(1);
  });

  test('a rule writes only what it means', () => {
    const result = readServerConfig('repos: [{id: /x/, drift: {every: 1h}}, {id: /y/}]', 's.yaml', {}, LOOK);
    const rules = 'config' in result ? result.config.repos : [];
    expect(rules.map((rule) => rule.drift)).toEqual([
      buildDriftKeys({ schedule: { kind: 'every', everyMs: 3_600_000 } }),
      undefined,
    ]);
  });

  test('problems of rules are told with their lines', () => {
    expect(problems('repos:\n- id: /x/\n- id: /y/\n  drift:\n    schedule: "* * * * *"\n    timezone: CET\n')).toEqual([
      '5: repos[1].drift.schedule: "* * * * *" comes more often than every 5 minutes: a plan asks the cloud for every resource',
      '6: repos[1].drift.timezone: "CET" is not an IANA time zone such as Europe/Berlin or UTC',
    ]);
  });
});

describe('a repository', () => {
  test('every key at the top and in an entry', () => {
    const config = repository(
      `drift:${ALL}  report: none\nprojects:\n- dir: a\n- dir: b\n  drift:${ALL.replaceAll('\n', '\n  ')}`,
    );
    expect(config.drift).toEqual({ ...ALL_KEYS, report: 'none', maxOpenIssues: undefined });
    expect(config.projects.map((entry) => entry.drift)).toEqual([undefined, ALL_KEYS]);
    expect(repository('').drift).toBeUndefined();
  });

  test.each([
    ['every: 4m59s', 'every: must be a duration such as 30s, 10m, 12h or 7d, not "4m59s"'],
    ['every: 299s', 'every: must be from 5m to 31d: a plan asks the cloud for every resource'],
    ['every: 32d', 'every: must be from 5m to 31d: a plan asks the cloud for every resource'],
    ['{every: 1h, schedule: "0 3 * * *"}', 'schedule: cannot be set together with `every`'],
    ['schedule: "0 3 * *"', 'schedule: not a cron expression such as "0 6 * * 1-5": it has not five fields'],
    ['schedule: "0 3 * * 9"', 'schedule: not a cron expression such as "0 6 * * 1-5": Invalid value for dayOfWeek: 9'],
    ['schedule: ""', 'schedule: not a cron expression such as "0 6 * * 1-5": it has not five fields'],
    ['schedule: "0 0 30 2 *"', 'schedule: "0 0 30 2 *" never comes'],
    [
      'schedule: "0,4 * * * *"',
      'schedule: "0,4 * * * *" comes more often than every 5 minutes: a plan asks the cloud for every resource',
    ],
    [`schedule: "${'0,'.repeat(60)}0 * * * *"`, 'schedule: may have 100 characters at most'],
    ['timezone: CEST', 'timezone: "CEST" is not an IANA time zone such as Europe/Berlin or UTC'],
    ['windows: 5', 'windows: must be a list of windows'],
    [
      'windows: [{kind: maybe, schedule: "0 0 * * *", duration: 1h}]',
      /^windows\[0\]\.kind: "maybe" is not a valid value, only "allow", "deny" are supported$/,
    ],
    ['windows: [{kind: deny, duration: 1h}]', 'windows[0].schedule: is required'],
    ['windows: [{kind: deny, schedule: "0 0 30 2 *", duration: 1h}]', 'windows[0].schedule: "0 0 30 2 *" never comes'],
    ['windows: [{kind: deny, schedule: "x", duration: 1h}]', /^windows\[0\]\.schedule: not a cron expression/],
    ['windows: [{kind: deny, schedule: "0 0 * * *", duration: 59s}]', 'windows[0].duration: must be from 1m to 31d'],
    ['windows: [{kind: deny, schedule: "0 0 * * *", duration: 32d}]', 'windows[0].duration: must be from 1m to 31d'],
    [
      'windows: [{kind: deny, schedule: "0 0 * * *", duration: 1h, timezone: EST}]',
      'windows[0].timezone: "EST" is not an IANA time zone such as Europe/Berlin or UTC',
    ],
    ['mode: auto', /^mode: this version of Holdfast puts no drift right by itself; write `report`/],
    ['mode: pull_request', /^mode: this version of Holdfast opens no pull requests for drift; write `report`/],
    ['mode: constructor', 'mode: "constructor" is not a mode: write "report" or "off"'],
    ['mode: heal', 'mode: "heal" is not a mode: write "report" or "off"'],
    ['report: slack', /^report: "slack" is not a valid value, only "issues", "dashboard", "none" are supported$/],
    ['confirmations: 0', 'confirmations: must be 1 or more'],
    ['confirmations: 11', 'confirmations: must be 10 at most'],
    ['max_open_issues: 101', 'max_open_issues: must be 100 at most'],
    ['labels: [""]', 'labels[0]: cannot be empty'],
    ['labels: drift', 'labels: must be a list of texts'],
    [`labels: [${'a'.repeat(51)}]`, 'labels[0]: may have 50 characters at most'],
    [`assignees: [${'a,'.repeat(11)}]`, 'assignees: may have 10 entries at most'],
    ['ignore: [{address: a, owner: o, expires: 2026-12-31}]', 'ignore[0].reason: is required'],
    ['ignore: [{address: a, reason: r, expires: 2026-12-31}]', 'ignore[0].owner: is required'],
    ['ignore: [{address: a, reason: r, owner: o}]', 'ignore[0].expires: is required'],
    [ignoring('" "', 'r', '2026-12-31'), 'ignore[0].address: is required: addresses of resources'],
    [ignoring('a', '" "', '2026-12-31'), 'ignore[0].reason: is required: why this is no drift'],
    [ignoring('a', 'r'.repeat(501), '2026-12-31'), 'ignore[0].reason: may have 500 characters at most'],
    [ignoring('a', 'r', 'tomorrow'), /^ignore\[0\]\.expires: must be a day such as 2026-12-31/],
    [ignoring('a', 'r', '2026-13-31'), /^ignore\[0\]\.expires: must be a day such as 2026-12-31/],
    [ignoring('a', 'r', '"2026-12-31T18:00:00"'), /^ignore\[0\]\.expires: must be a day such as 2026-12-31/],
    ['evry: 1h', 'evry: unknown key'],
    ['max_concurrent: 5', 'max_concurrent: unknown key'],
  ])('%s', (text, problem) => {
    const found = repositoryProblems(`drift: ${text.startsWith('{') ? text : `{${text}}`}`);
    expect(found).toHaveLength(1);
    const told = found[0]?.replace(/^\d+: drift\.(?:value)?/, '');
    if (typeof problem === 'string') expect(told).toBe(problem);
    else expect(told).toMatch(problem);
  });

  test('an entry cannot say what is the repository’s', () => {
    expect(repositoryProblems('projects:\n- dir: a\n  drift: {report: none, every: 1m}')).toEqual([
      '4: projects[0].drift.every: must be from 5m to 31d: a plan asks the cloud for every resource',
      '4: projects[0].drift.report: unknown key',
    ]);
  });

  test('a problem has the line of its place', () => {
    expect(
      repositoryProblems('projects:\n- dir: a\n- dir: b\n  drift:\n    enabled: true\n    timezone: EST\n'),
    ).toEqual(['7: projects[1].drift.timezone: "EST" is not an IANA time zone such as Europe/Berlin or UTC']);
  });

  test('a thousand different expressions are not all looked at', () => {
    const entries = Array.from(
      { length: 1_000 },
      (_, index) => `- {dir: d${index}, drift: {schedule: "${index % 60} ${Math.floor(index / 60)} 30 2 *"}}`,
    );
    const started = performance.now();
    const found = repositoryProblems(`projects:\n${entries.join('\n')}`);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(found).toHaveLength(101);
    const read = readRepositoryConfig(`version: 3\nprojects:\n${entries.slice(0, 90).join('\n')}`, 'holdfast.yaml');
    expect('problems' in read && read.problems).toHaveLength(90);
  });

  test('two hundred are, and one that is everywhere counts once', () => {
    const entry = (index: number) =>
      `- {dir: d${index}, drift: {timezone: UTC, schedule: "${index % 60} ${Math.floor(index / 60)} * * *"}}`;
    const file = (count: number) =>
      `projects:\n${Array.from({ length: count }, (_, index) => entry(index)).join('\n')}`;
    expect(repositoryProblems(file(199))).toEqual([]);
    expect(repositoryProblems(file(200))).toEqual([
      '202: projects[199].drift.schedule: there are more than 200 different cron expressions and time zones in this file',
    ]);
  });
});
