import { findTouchedRoots } from '../../src/core/module-changes.ts';
import { findProjects, makeFinder } from '../../src/core/project-finder.ts';
import { resolveRules } from '../../src/core/resolve-rules.ts';
import { readConfiguration } from '../../src/core/root-module.ts';
import { findModified } from '../../src/core/when-modified.ts';
import { expectEqual } from './comment-rows.mjs';
import { goText, isGo, readTable } from './rows.mjs';

const FILE = 'events.project_finder';

/** The repositories that the names stand for, as far as the descriptions tell. */
const REPOSITORIES = {
  nestedModules1: ['project1/main.tf', 'project2/main.tf', 'project1/modules/main.tf', 'modules/unused.md'],
  nestedModules2: ['main.tf', 'modules/main.tf'],
  topLevelModules: ['modules/main.tf', 'project1/main.tf', 'project2/main.tf'],
  envDir: ['main.tf', 'env/staging.tfvars', 'env/production.tfvars'],
  '': ['main.tf', 'other.tf', 'env/staging.tfvars', 'env/production.tfvars'],
};

export function finderRows(directory) {
  const rows = (table) => readTable(directory, FILE, table, 'cases');
  return [
    ...rows('TestDetermineProjects').map(discovered),
    ...rows('TestDefaultProjectFinder_DetermineProjectsViaConfig').map(viaConfig),
    ...rows('TestDetermineWorkspaceFromHCL').map(workspace),
    ...rows('TestDetermineWorkspaceFromHCL_MalformedFiles').map(workspace),
  ];
}

function discovered(row) {
  return {
    name: `TestDetermineProjects: ${row.description}`,
    check: () => {
      const paths = REPOSITORIES[goText(row.repoDir)] ?? REPOSITORIES[''];
      const touched = findTouchedRoots(read(paths), row.files ?? []);
      return expectEqual([...touched.keys()].sort(), [...(row.expProjectPaths ?? [])].sort());
    },
  };
}

function viaConfig(row) {
  return {
    name: `TestDefaultProjectFinder_DetermineProjectsViaConfig: ${row.description}`,
    check: () => {
      const existing = ['', 'project1', 'project2', 'modules/module', 'project1/subdir1', 'project1/subdir2'];
      const found = row.config.Projects.filter((project) => existing.includes(project.Dir === '.' ? '' : project.Dir))
        .filter((project) => findModified(project.Dir, project.Autoplan.WhenModified, row.modified).length > 0)
        .map((project) => project.Dir);
      return expectEqual(found, row.expProjPaths ?? []);
    },
  };
}

const cloud = (name) => ({ terraform: [{ cloud: [{ workspaces: [name === undefined ? {} : { name }] }] }] });

/** Directory names of Atlantis' fixtures, as the files they hold. */
const FIXTURES = {
  'workspace-configured': { 'main.tf': cloud('test-workspace') },
  'cloud-block-without-workspace-name': { 'main.tf': cloud(undefined) },
  'workspace-tofu-json-only': { 'main.tofu.json': cloud('tofu-json-workspace') },
  'workspace-tofu-only': { 'main.tofu': cloud('tofu-workspace'), 'x.tf': {} },
  'workspace-tofu-overrides-tf': { 'main.tf': cloud('tf-workspace'), 'main.tofu': cloud('tofu-workspace') },
  'workspace-tf-json-only': { 'main.tf.json': cloud('tf-json-workspace') },
  'workspace-json-precedence': {
    'main.tf.json': cloud('tf-json-workspace'),
    'main.tofu.json': cloud('tofu-json-workspace'),
  },
  'workspace-malformed-tofu': { 'main.tofu': undefined },
  'workspace-tf-plus-malformed-tofu': { 'main.tf': cloud('tf-workspace'), 'main.tofu': undefined },
  'workspace-malformed-tf-json': { 'main.tf.json': undefined },
  'workspace-malformed-tofu-json': { 'main.tofu.json': undefined },
};

function workspace(row) {
  return {
    name: `TestDetermineWorkspaceFromHCL: ${row.description}`,
    check: () => {
      const files = FIXTURES[row.repoDir];
      if (files === undefined || isGo(row.repoDir))
        return `the directory ${JSON.stringify(row.repoDir)} is not known here`;
      const configuration = read(Object.keys(files), files, row.distribution || 'terraform');
      const commit = { config: undefined, configuration, paths: Object.keys(files) };
      const rules = resolveRules([], { workflows: new Map(), repoLocks: 'on_plan', permissions: {} }, 'a/b/c');
      const input = {
        rules,
        distribution: 'terraform',
        baseBranch: 'main',
        base: commit,
        baseConfigUnreadable: false,
        head: commit,
        changed: [],
      };
      return expectEqual(findProjects(makeFinder(input))[0]?.project.workspace, row.expectedWorkspace);
    },
  };
}

function read(paths, bodies = {}, distribution = 'terraform') {
  const parsed = paths.map((path) =>
    path in bodies && bodies[path] === undefined ? { path, problem: 'malformed' } : { path, body: bodies[path] ?? {} },
  );
  return readConfiguration(paths, parsed, distribution);
}
