import { describe, expect, test } from 'vitest';
import { readRepositoryConfig } from '../../../src/config/repo-config.ts';
import { isProjectFile, placeEntries } from '../../../src/core/place-entries.ts';

const PATHS = ['b/main.tf', 'a/main.tf', 'a/sub/main.tf', 'c/readme.md', 'd/terragrunt.hcl', 'e/app.yaml'];

function place(projects: string, paths: readonly string[] = PATHS): readonly string[] {
  const read = readRepositoryConfig(`version: 3\nprojects:\n${projects}`, 'holdfast.yaml');
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return placeEntries(read.config, paths).map(
    ({ dir, workspace, executionOrderGroup }) => `${dir}:${workspace}:${executionOrderGroup}`,
  );
}

describe('an entry', () => {
  test('that is written out stays where it is, there or not', () => {
    expect(place('- {dir: z}\n- {dir: a, workspace: w}')).toEqual(['z:default:0', 'a:w:0']);
  });

  test('with a glob is one for every directory that has a file of Terraform or Terragrunt', () => {
    expect(place("- {dir: '*'}")).toEqual(['a:default:0', 'b:default:0', 'd:default:0']);
    expect(place("- {dir: '**/sub'}")).toEqual(['a/sub:default:0']);
    expect(place("- {dir: 'x*'}")).toEqual([]);
  });

  test('written out counts more than a glob, wherever it stands', () => {
    expect(place("- {dir: '*'}\n- {dir: a, execution_order_group: 1}")).toEqual([
      'b:default:0',
      'd:default:0',
      'a:default:1',
    ]);
  });

  test('of two globs the first counts, in every workspace', () => {
    expect(place("- {dir: 'a*'}\n- {dir: '*', execution_order_group: 2}")).toEqual([
      'a:default:0',
      'b:default:2',
      'd:default:2',
    ]);
    expect(place("- {dir: 'a*'}\n- {dir: 'a*', workspace: w}")).toEqual(['a:default:0', 'a:w:0']);
  });

  test('says itself what a directory must have', () => {
    expect(place("- {dir: '*', glob_file_match: ['*.yaml', '*.md']}")).toEqual(['c:default:0', 'e:default:0']);
  });
});

test('without a config there is none', () => expect(placeEntries(undefined, PATHS)).toEqual([]));

test.each([
  ['main.tf', true],
  ['main.tofu.json', true],
  ['terragrunt.hcl', true],
  ['readme.md', false],
])('%s makes its directory a project: %s', (name, is) => expect(isProjectFile(name)).toBe(is));
