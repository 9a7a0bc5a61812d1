import { describe, expect, test } from 'vitest';
import {
  applyArgv,
  argumentRefusals,
  expandArguments,
  initArgv,
  planArgv,
  workspaceArgvs,
} from '../../../../workers/steps/terraform-command.ts';

const binary = (version: string, distribution: 'terraform' | 'opentofu' = 'terraform') =>
  ({ distribution, path: '/bin/tf', version }) as const;
const options = { lockTimeoutSeconds: 20, extraArgs: ['-lock-timeout=60s', '-target=a.b'], observes: false };

describe('argv', () => {
  test('what people add comes after ours, and an apply ends with the plan file', () => {
    expect(planArgv(binary('1.11.4'), '/o/p', options)).toEqual([
      '/bin/tf',
      'plan',
      '-input=false',
      '-no-color',
      '-json',
      '-lock-timeout=20s',
      '-out=/o/p',
      '-lock-timeout=60s',
      '-target=a.b',
    ]);
    expect(applyArgv(binary('1.11.4'), '/o/p', options).at(-1)).toBe('/o/p');
  });

  test('init reports as JSON where it can', () => {
    expect(initArgv(binary('1.9.0'), [])).toContain('-json');
    expect(initArgv(binary('1.8.5'), [])).not.toContain('-json');
    expect(initArgv(binary('1.9.0', 'opentofu'), [])).not.toContain('-json');
  });

  test('workspaces are made by one command, or by two in old versions', () => {
    expect(workspaceArgvs(binary('1.11.4'), 'w')).toEqual([
      ['/bin/tf', 'workspace', 'select', '-no-color', '-or-create=true', 'w'],
    ]);
    expect(workspaceArgvs(binary('1.3.9'), 'w').map((argv) => argv[2])).toEqual(['select', 'new']);
  });
});

test.each([
  ['-out=x', 1],
  ['--out', 1],
  ['-chdir=/', 1],
  ['-state=/x', 1],
  ['-plugin-dir=.', 1],
  ['-json', 1],
  ['-target=module.state', 0],
  ['-var=out=1', 0],
  ['-destroy', 0],
  ['-lock=false', 0],
])('%s is refused %d times', (argument, times) => {
  expect(argumentRefusals([argument])).toHaveLength(times);
});

test('extra arguments take variables, and only those there are', () => {
  const variables = { WORKSPACE: 'staging', A: '$B' };
  expect(
    expandArguments(['-var-file=$WORKSPACE.tfvars', '${WORKSPACE}x', '$A', '$NONE', '$__proto__', '5$'], variables),
  ).toEqual(['-var-file=staging.tfvars', 'stagingx', '$B', '', '', '5$']);
});
