import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { guessKind, validateFile } from '../../../src/config/validate-file.ts';

const AROUND = { environment: {}, readFile: () => '', workingDirectory: '/', purpose: 'look' } as const;

test('problems come first, each with its line and what was meant', () => {
  expect(validateFile('version: 3\nprojets: []\n', 'holdfast.yaml', 'repository', AROUND)).toEqual({
    valid: false,
    lines: ['holdfast.yaml:2: error: projets: unknown key. Did you mean projects?', 'holdfast.yaml: 1 problem'],
  });
});

test('warnings make no file invalid', () => {
  const result = validateFile('version: 3\nemoji_reaction: eyes\n', 'atlantis.yaml', 'repository', AROUND);
  expect(result.valid).toBe(true);
  expect(result.lines[0]).toMatch(/^atlantis\.yaml:2: warning: emoji_reaction: known to Atlantis/);
  expect(result.lines.at(-1)).toBe('atlantis.yaml: valid repository config');
});

test('a server config is read with the environment it is given', () => {
  expect(validateFile('listen: x\n', 's.yaml', 'server', AROUND)).toMatchObject({ valid: false });
  expect(validateFile('listen: 127.0.0.1:1\n', 's.yaml', 'server', AROUND)).toEqual({
    valid: true,
    lines: ['s.yaml: valid server config'],
  });
  expect(
    validateFile('triggers: [x]\n', 's.yaml', 'server', { ...AROUND, environment: { HOLDFAST_X: '1' } }).lines[0],
  ).toBe('environment: error: HOLDFAST_X: unknown variable');
});

test.each(['# nothing yet\n', '---\n', '{}'])('a server config that sets nothing is one: %j', (text) => {
  expect(validateFile(text, 's.yaml', 'server', AROUND)).toEqual({
    valid: true,
    lines: ['s.yaml: valid server config'],
  });
});

test('the generated example of a server config is valid', () => {
  const example = readFileSync(new URL('../../../config/server.example.yaml', import.meta.url), 'utf8');
  expect(validateFile(example, 'server.example.yaml', 'server', AROUND).valid).toBe(true);
});

test.each(['', ' \n'])('a server config without a word is more likely a mistake: %j', (text) => {
  expect(validateFile(text, 's.yaml', 'server', AROUND).lines).toEqual([
    's.yaml:1: error: the file is empty; if that is meant, write a comment into it or leave the file away',
    's.yaml: 1 problem',
  ]);
});

test.each(['', '# nothing yet\n'])('a repository config that sets nothing is told both ways out: %j', (text) => {
  expect(validateFile(text, 'holdfast.yaml', 'repository', AROUND).lines).toEqual([
    'holdfast.yaml:1: error: version: is required: write `version: 3`. Nothing is set in the file; without it projects are discovered',
    'holdfast.yaml: 1 problem',
  ]);
});

test('the name tells which file it is', () => {
  expect(['holdfast.yaml', 'a/atlantis.yml'].map(guessKind)).toEqual(['repository', 'repository']);
  expect(['server.yaml', 'myholdfast.yaml'].map(guessKind)).toEqual(['server', 'server']);
});
