import { describe, expect, test } from 'vitest';
import { problemOfForeignStep, readStep } from '../../../src/config/step-schema.ts';

const SHELL = { shell: 'sh', shellArgs: ['-c'] };

describe('a step', () => {
  test.each([
    ['init', { kind: 'init', extraArgs: [] }],
    ['show', { kind: 'show', extraArgs: [] }],
    [{ plan: { extra_args: ['-var', 'a=b'] } }, { kind: 'plan', extraArgs: ['-var', 'a=b'] }],
    [{ apply: { extra_args: null } }, { kind: 'apply', extraArgs: [] }],
    [{ run: 'make it' }, { kind: 'run', command: 'make it', ...SHELL, output: 'show', filterRegexes: [] }],
    [
      { run: { command: 'x', shell: 'bash', shellArgs: '-e  -c' } },
      { kind: 'run', command: 'x', shell: 'bash', shellArgs: ['-e', '-c'], output: 'show', filterRegexes: [] },
    ],
    [
      { run: { command: 'x', output: 'hide' } },
      { kind: 'run', command: 'x', ...SHELL, output: 'hide', filterRegexes: [] },
    ],
    [
      { run: { command: 'x', output: ['hide', 'strip_refreshing'] } },
      { kind: 'run', command: 'x', ...SHELL, output: 'hide', filterRegexes: [] },
    ],
    [
      { run: { command: 'x', output: ['show', 'strip_refreshing'] } },
      { kind: 'run', command: 'x', ...SHELL, output: 'strip_refreshing', filterRegexes: [] },
    ],
    [
      { run: { command: 'x', output: { filter_regex: ['a', 'b'] } } },
      { kind: 'run', command: 'x', ...SHELL, output: 'filter_regex', filterRegexes: ['a', 'b'] },
    ],
    [
      { run: { command: 'x', output: ['strip_refreshing', { filter_regex: '.*' }] } },
      { kind: 'run', command: 'x', ...SHELL, output: 'strip_refreshing', filterRegexes: ['.*'] },
    ],
    [{ multienv: 'envs.sh' }, { kind: 'multienv', command: 'envs.sh', ...SHELL, output: 'show', filterRegexes: [] }],
    [{ env: { name: 'A', value: 1 } }, { kind: 'env', name: 'A', value: '1' }],
    [{ env: { name: 'A', value: '' } }, { kind: 'env', name: 'A', value: '' }],
    [{ env: { name: 'A', command: 'date' } }, { kind: 'env_command', name: 'A', command: 'date', ...SHELL }],
  ])('%j', (raw, wanted) => {
    expect(readStep(raw)).toEqual(wanted);
  });

  test.each([
    ['invalid', "maybe you omitted the 'run' key"],
    ['policy_check', 'that Holdfast does not have'],
    [{ policy_check: { extra_args: [] } }, 'that Holdfast does not have'],
    [['init'], 'a name or a key'],
    [null, 'a name or a key'],
    [{ key2: 1, key1: 1 }, 'found 2: key1,key2'],
    [{}, 'found 0'],
    [{ init: { invalid: 1, zz: 2 } }, 'found 2: invalid,zz'],
    [{ init: { other: [] } }, 'single extra_args key, found 1: other'],
    [{ init: { extra_args: 'a' } }, 'must be a list of texts'],
    [{ plan: { extra_args: ['-out=x'] } }, 'is not allowed in extra args'],
    [{ env: 'A=b' }, '"env" needs its options'],
    [{ env: { abc: '', name: 'A' } }, 'found key "abc"'],
    [{ env: { value: 'x' } }, 'must have a "name"'],
    [{ env: { name: 'A-B', value: 'x' } }, 'must have a "name"'],
    [{ env: { name: 'A' } }, 'a "value" or a "command"'],
    [{ env: { name: 'A', value: 'x', command: 'y' } }, 'not both'],
    [{ env: { name: 'A', value: ['x'] } }, 'must be text'],
    [{ env: { name: 'A', value: 'x', shell: 'sh' } }, 'in combination with "command"'],
    [{ env: { name: 'A', shell: 'bash' } }, 'in combination with "command"'],
    [{ run: { name: 'x', command: 'y' } }, 'found key "name"'],
    [{ run: { output: 'show' } }, 'must have a "command"'],
    [{ run: '  ' }, 'must have a "command"'],
    [{ run: { command: 'x', shellArgs: '-c' } }, 'in combination with "shell"'],
    [{ run: { command: 'x', shell: 5 } }, '"shell" must be text'],
    [{ run: { command: 'x', shell: 'sh', shellArgs: [42] } }, 'a string or a list of strings'],
    [{ run: { command: 'x', output: 'loud' } }, 'found "loud"'],
    [{ run: { command: 'x', output: { filter_regex: 5 } } }, 'must be text'],
    [{ run: { command: 'x', output: { filter_regex: '(' } } }, 'missing closing )'],
  ])('refuses %j', (raw, words) => {
    expect(readStep(raw)).toEqual({ problem: expect.stringContaining(words) });
  });
});

test('a step of a stage that is not run is still read', () => {
  expect(problemOfForeignStep('policy_check')).toBeUndefined();
  expect(problemOfForeignStep({ import: { extra_args: ['a'] } })).toBeUndefined();
  expect(problemOfForeignStep({ import: { other: ['a'] } })).toContain('extra_args');
  expect(problemOfForeignStep('run')).toContain('not a valid step');
  expect(problemOfForeignStep('init')).toBeUndefined();
  expect(problemOfForeignStep(7)).toBeDefined();
});
