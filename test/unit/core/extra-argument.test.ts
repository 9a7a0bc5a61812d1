import { expect, test } from 'vitest';
import { problemOfExtraArgument } from '../../../src/core/extra-argument.ts';

test.each([
  '-chdir',
  '--chdir=x',
  '-plugin-dir=x',
  '-out=x',
  '-state=x',
  '-state-out=x',
  '-backup=-',
  '-json',
  '-input=true',
  '-CHDIR=x',
])('%s is refused wherever it is written', (argument) => {
  for (const origin of ['comment', 'workflow'] as const) {
    expect(problemOfExtraArgument(argument, 'plan', origin)).toContain('is not allowed in extra args');
  }
});

test.each(['-lock=false', '-lock-timeout=1h'])('%s is refused in a comment only', (argument) => {
  expect(problemOfExtraArgument(argument, 'plan', 'comment')).toBeDefined();
  expect(problemOfExtraArgument(argument, 'plan', 'workflow')).toBeUndefined();
});

test.each([
  '-target=a',
  '--target',
  '-target-file=x',
  '-exclude=a',
  '-exclude-file=x',
  '-replace=a',
  '-destroy',
  '-refresh-only',
])('%s is for plan only', (argument) => {
  expect(problemOfExtraArgument(argument, 'plan', 'comment')).toBeUndefined();
  expect(problemOfExtraArgument(argument, 'apply', 'comment')).toContain('as a whole');
  expect(problemOfExtraArgument(argument, 'apply', 'workflow')).toContain('as a whole');
});

test.each(['-var=a=b', '-parallelism=3', 'positional', '-constructor', '--', '-', 'not-out=x', 'a -json', '-json-x'])(
  '%s is let through',
  (argument) => {
    expect(problemOfExtraArgument(argument, 'apply', 'comment')).toBeUndefined();
  },
);

test.each([
  ['-chdir=x', 'it leaves the project that was checked and locked'],
  ['-plugin-dir=x', 'providers come from the read-only mirror only'],
  ['-out=x', 'the plan file is Holdfast’s to place'],
  ['-state=x', 'the state is what the backend says'],
  ['-state-out=x', 'the state is what the backend says'],
  ['-backup=x', 'the state is what the backend says'],
  ['-json', 'Holdfast chooses the output itself, to read it'],
  ['-input=false', 'nobody could answer a question'],
  ['-lock=false', 'the state lock keeps two writers apart'],
  ['-lock-timeout=1m', 'how long to wait for the state lock is the server’s to say'],
])('of %s people are told: %s', (argument, reason) => {
  expect(problemOfExtraArgument(argument, 'init', 'comment')).toBe(
    `flag "${argument}" is not allowed in extra args: ${reason}`,
  );
});
