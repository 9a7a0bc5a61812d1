import { describe, expect, test } from 'vitest';
import { EMPTY_SELECTION, type ProjectSelection } from '../../../src/core/command.ts';
import { resolveProjects } from '../../../src/core/resolve-projects.ts';
import { selectAmong, selectForPlan } from '../../../src/core/select-projects.ts';
import { backend, cloud, commit, input } from './finder-fixture.ts';

const S3 = backend('s3');
const FILES = { 'main.tf': S3, 'a/main.tf': S3, 'b/main.tf': S3, 'c/main.tf': cloud('x'), 'd/readme.md': {} };
const YAML = `
projects:
- {dir: a, name: one}
- {dir: a, workspace: w, name: two}
- {dir: b, workspace: x, autoplan: {enabled: false}}
- {dir: b, workspace: y}
- {dir: c}
`;

const select = (keys: Partial<ProjectSelection>): ProjectSelection => ({ ...EMPTY_SELECTION, ...keys });

function plan(keys: Partial<ProjectSelection>, changed: readonly string[] = []): readonly string[] | string {
  const given = input({ head: commit(FILES, YAML), changed });
  const selected = selectForPlan(given, resolveProjects(given), select(keys));
  return 'problem' in selected
    ? selected.problem
    : selected.projects.map(({ project }) => `${project.dir}:${project.workspace}`);
}

describe('a plan', () => {
  test('without flags is for all that is touched, whether planned by itself or not', () => {
    expect(plan({}, ['b/main.tf', 'c/main.tf'])).toEqual(['b:x', 'b:y']);
    expect(plan({})).toEqual([]);
  });

  test.each([
    [{ dirs: ['a'] }, ['a:default']],
    [{ dirs: ['b'] }, ['b:x', 'b:y']],
    [{ dirs: ['a'], workspace: 'w' }, ['a:w']],
    [{ dirs: ['a', 'b'] }, ['a:default', 'b:x', 'b:y']],
    [{ dirs: ['[ab]'] }, ['a:default', 'b:x', 'b:y']],
    [{ dirs: ['*'], workspace: 'y' }, ['b:y']],
    [{ dirs: ['*'] }, ['a:default', 'b:x', 'b:y']],
    [{ project: 'two' }, ['a:w']],
    [{ dirs: ['.'] }, ['.:default']],
    [{ workspace: 'new' }, ['.:new']],
    [{ dirs: ['b'], workspace: 'new' }, ['b:new']],
  ])('%j', (keys, wanted) => {
    expect(plan(keys)).toEqual(wanted);
  });

  test.each([
    [{ project: 'onee' }, 'There is no project with name "onee". Did you mean "one"? There are: one, two.'],
    [{ dirs: ['d'] }, 'There are no Terraform files in "d".'],
    [{ dirs: ['z*'] }, 'There are no Terraform files in "z*".'],
    [{ dirs: ['c'] }, 'c cannot be planned: it uses a `cloud` block'],
  ])('%j says what is wrong', (keys, words) => {
    expect(plan(keys)).toContain(words);
  });

  test('goes on without what cannot be planned, and names it', () => {
    const given = input({ head: commit({ ...FILES, 'e/main.tf': {} }, YAML) });
    const selected = selectForPlan(
      given,
      resolveProjects(given),
      select({ dirs: ['a', 'nowhere', 'c', 'e', 'z*', 'a', '[ac]'] }),
    );
    expect('projects' in selected && selected.projects.map(({ project }) => project.dir)).toEqual(['a', 'e']);
    expect('leftOut' in selected && selected.leftOut).toEqual([
      'There are no Terraform files in "nowhere".',
      'There are no Terraform files in "z*".',
      expect.stringMatching(/^c cannot be planned: it uses a `cloud` block/),
    ]);
  });

  test('a named directory has the demands of the base branch', () => {
    const base = commit(FILES, 'projects: [{dir: a, workspace: w, apply_requirements: [approved]}]');
    const given = input({ base, head: commit(FILES, 'autodiscover: {mode: disabled}') });
    const selected = selectForPlan(given, resolveProjects(given), select({ dirs: ['a'], workspace: 'w' }));
    expect('projects' in selected && selected.projects[0]).toMatchObject({
      origin: 'command',
      project: { applyRequirements: ['approved'] },
    });
  });
});

describe('among those that have a plan', () => {
  const place = (dir: string, workspace = 'default', name?: string) => ({ dir, workspace, name });
  const all = [place('.', 'w'), place('a'), place('a', 'w', 'n'), place('b', 'w'), place('x*y')];

  test.each([
    [{}, all],
    [{ workspace: 'w' }, [all[0]]],
    [{ dirs: ['a'] }, [all[1]]],
    [{ dirs: ['b'] }, [all[3]]],
    [{ dirs: ['*'], workspace: 'w' }, [all[0], all[2], all[3]]],
    [{ project: 'n' }, [all[2]]],
    [{ dirs: ['x*y'] }, [all[4]]],
    [{ dirs: ['nowhere'] }, []],
  ])('%j', (keys, wanted) => {
    expect(selectAmong(all, select(keys))).toEqual(wanted);
  });
});
