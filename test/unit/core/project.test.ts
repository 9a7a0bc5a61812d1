import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { projectKey, projectTitle } from '../../../src/core/project.ts';

const REPOSITORY = { host: 'github.com', id: '42' };
const place = (dir: string, workspace = 'default', name?: string) => ({ dir, workspace, name });

describe("a project's key", () => {
  test('is the host, the repository, the directory and the workspace', () => {
    expect(projectKey(REPOSITORY, place('envs/prod', 'eu'), false)).toBe('github.com/42/envs%2Fprod/eu');
  });

  test('has the name only where the name counts', () => {
    expect(projectKey(REPOSITORY, place('a', 'default', 'web'), false)).toBe('github.com/42/a/default');
    expect(projectKey(REPOSITORY, place('a', 'default', 'web'), true)).toBe('github.com/42/a/default/web');
    expect(projectKey(REPOSITORY, place('a'), true)).toBe('github.com/42/a/default');
  });

  test('is never that of another project', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '%', '.', 'é') });
    const project = fc.record({ dir: text, workspace: text, name: fc.option(text, { nil: undefined }) });
    fc.assert(
      fc.property(project, project, (a, b) => {
        const same = JSON.stringify([a.dir, a.workspace, a.name]) === JSON.stringify([b.dir, b.workspace, b.name]);
        expect(projectKey(REPOSITORY, a, true) === projectKey(REPOSITORY, b, true)).toBe(same);
      }),
    );
  });
});

test.each([
  [place('prod'), 'prod'],
  [place('prod', 'eu'), 'prod (eu)'],
  [place('prod', 'default', 'web'), 'web: prod'],
  [place('.', 'eu', 'web'), 'web: . (eu)'],
])('people read %j as %s', (project, title) => expect(projectTitle(project)).toBe(title));
