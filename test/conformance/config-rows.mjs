import { stringify } from 'yaml';
import { readServerConfig } from '../../src/config/load-server-config.ts';
import { readRepositoryConfig } from '../../src/config/repo-config.ts';
import { problemOfForeignStep } from '../../src/config/step-schema.ts';
import { placeEntries, isProjectFile } from '../../src/core/place-entries.ts';
import { findForbiddenKeys } from '../../src/core/allowed-keys.ts';
import { resolveRules } from '../../src/core/resolve-rules.ts';
import { compileGlob, containsGlob } from '../../src/lib/glob.ts';
import { expectEqual } from './comment-rows.mjs';
import { goText, isGo, readTable } from './rows.mjs';

const LAX = resolveRules(
  [
    {
      id: '/.*/',
      allowedOverrides: ['plan_requirements', 'apply_requirements', 'workflow', 'repo_locks'],
      allowCustomWorkflows: true,
    },
  ],
  { workflows: new Map(), repoLocks: 'on_plan', permissions: {} },
  'github.com/owner/repo',
);

const LOOK = { readFile: () => '', workingDirectory: '/', purpose: 'look' };

export function configRows(directory) {
  const rows = (file, table, list = 'cases') =>
    readTable(directory, `core.config.${file}`, table, list).map((row) => ({ table, ...row }));
  return [
    ...rows('parser_validator', 'TestParseCfgs_InvalidYAML').map((row) => repoFile(row, goText(row.input))),
    ...rows('parser_validator', 'TestParseRepoCfg').map((row) => repoFile(row, row.input)),
    ...rows('parser_validator', 'TestParseGlobalCfg').map((row) => serverFile(row, row.input)),
    ...rows('parser_validator', 'TestParserValidator_ParseGlobalCfgJSON').map((row) => serverFile(row, row.json)),
    ...rows('parser_validator', 'TestParseRepoCfg_V2ShellParsing').map((row) => v2(row)),
    ...rows('parser_validator', 'TestContainsGlobPattern').map((row) =>
      simple(row, row.input, () => containsGlob(row.input), row.expected),
    ),
    ...rows('parser_validator', 'TestValidateGlobPattern').map((row) =>
      simple(row, row.input, () => 'problem' in compileGlob(row.input), row.expErr),
    ),
    ...rows('parser_validator', 'TestParseRepoCfg_GlobExpansion').map(expansion),
    ...rows('raw.repo_cfg', 'TestConfig_UnmarshalYAML').map((row) =>
      repoFile(row, row.expErr ? row.input : withVersion(row.input)),
    ),
    ...rows('raw.repo_cfg', 'TestConfig_Validate').map((row) => repoFile(row, stringify(snake(row.input)))),
    ...rows('raw.repo_cfg', 'TestConfig_ToValid').map((row) =>
      repoFile(row, stringify({ ...snake(row.input), version: 3 })),
    ),
    ...rows('raw.autodiscover', 'TestAutoDiscover_Validate').map((row) =>
      repoFile({ ...row, expErr: row.errContains }, inFile({ autodiscover: snake(row.input) })),
    ),
    ...rows('raw.autodiscover', 'TestAutoDiscover_ToValid').map((row) =>
      repoFile(row, inFile({ autodiscover: snake(row.input) })),
    ),
    ...rows('raw.autoplan', 'TestAutoplan_Validate').map((row) =>
      repoFile(row, inFile({ projects: [{ dir: '.', autoplan: snake(row.input) }] })),
    ),
    ...rows('raw.autoplan', 'TestAutoplan_ToValid').map((row) =>
      repoFile(
        { ...row, exp: { Projects: [{ Autoplan: row.exp }] } },
        inFile({ projects: [{ dir: '.', autoplan: snake(row.input) }] }),
      ),
    ),
    ...rows('raw.project', 'TestProject_Validate').map((row) =>
      repoFile(row, inFile({ projects: [snake(row.input)] })),
    ),
    ...rows('raw.project', 'TestProject_ToValid').map((row) =>
      repoFile({ ...row, exp: { Projects: [row.exp] } }, inFile({ projects: [snake(row.input)] })),
    ),
    ...rows('raw.project', 'TestIsTerraformProjectDir').map((row) =>
      simple(
        row,
        row.description,
        () => Object.keys(row.files).some((file) => !file.includes('/') && isProjectFile(file)),
        row.exp,
      ),
    ),
    ...rows('raw.project', 'TestIsProjectIndicatorFile').map((row) =>
      simple(row, row.name, () => isProjectFile(row.name), row.exp),
    ),
    ...rows('raw.step', 'TestStep_Validate').map(step),
    ...rows('raw.step', 'TestStep_ToValid').map(step),
    ...rows('raw.workflow', 'TestWorkflow_UnmarshalYAML').map((row) =>
      repoFile(
        { ...row, exp: undefined },
        inFile({ workflows: { w: row.input === '' ? null : '@' } }).replace(
          '"@"',
          `\n${row.input.replaceAll(/^/gm, '    ')}`,
        ),
      ),
    ),
    ...rows('raw.workflow', 'TestWorkflow_ToValid').map((row) =>
      repoFile({ ...row, exp: undefined }, inFile({ workflows: { w: null } })),
    ),
  ];
}

function simple(row, what, compute, wanted) {
  return { name: `${row.table}: ${what}`, check: () => expectEqual(compute(), wanted) };
}

function repoFile(row, text) {
  return {
    name: `${row.table}: ${row.description}`,
    check: () => {
      const result = readRepositoryConfig(text, 'atlantis.yaml');
      const problems = 'problems' in result ? result.problems : findForbiddenKeys(result.config, LAX);
      const refused = problems.length > 0;
      if (refused !== Boolean(row.expErr)) return `got ${JSON.stringify(problems)}, wanted ${row.expErr || 'no error'}`;
      return refused ? undefined : compareConfig(result.config, row.exp);
    },
  };
}

function compareConfig(config, exp) {
  if (!exp || isGo(exp)) return undefined;
  const projects = (exp.Projects ?? []).map((project, index) => compareProject(config.projects[index], project));
  const top = [
    ['Automerge', config.automerge],
    ['ParallelApply', config.parallelApply],
    ['AutoDiscover', config.autodiscover?.mode],
    ['RepoLocks', config.repoLocks],
  ].map(([key, got]) => compareKey(key, got, exp[key]));
  const workflows = Object.keys(isGo(exp.Workflows) ? {} : (exp.Workflows ?? {})).map((name) =>
    config.workflows.has(name) ? undefined : `no workflow ${name}`,
  );
  return [...projects, ...top, ...workflows].find((difference) => difference !== undefined);
}

function compareProject(got, exp) {
  return [
    ['Dir', got?.dir],
    ['Name', got?.name],
    ['Workspace', got?.workspace],
    ['WorkflowName', got?.workflow],
    ['ApplyRequirements', got?.applyRequirements],
    ['PlanRequirements', got?.planRequirements],
  ]
    .map(([key, value]) => compareKey(key, value, exp[key]))
    .concat(exp.Autoplan ? compareKey('Autoplan.Enabled', got?.autoplan.enabled, exp.Autoplan.Enabled) : undefined)
    .concat(isGo(exp.TerraformVersion) ? compareKey('TerraformVersion', got?.terraformVersion, '0.11.0') : undefined)
    .find((difference) => difference !== undefined);
}

/** Go says `valid.AutoDiscoverEnabledMode` where the file says `enabled`. */
function compareKey(key, got, exp) {
  if (exp === undefined || exp === null) return undefined;
  const wanted = exp.Mode?.$go ? constant(exp.Mode) : exp;
  const difference = expectEqual(got, wanted);
  return difference === undefined ? undefined : `${key}: ${difference}`;
}

function constant(value) {
  const name = String(goText(value))
    .replace(/^valid\./, '')
    .toLowerCase();
  return (
    ['on_apply', 'on_plan', 'disabled', 'enabled', 'auto'].find((mode) => name.includes(mode.replace('_', ''))) ?? name
  );
}

function serverFile(row, text) {
  return {
    name: `${row.table}: ${row.description}`,
    check: () => {
      const result = readServerConfig(text, 'server.yaml', {}, LOOK);
      const problems = 'problems' in result ? result.problems : [];
      return problems.length > 0 === Boolean(row.expErr)
        ? undefined
        : `got ${JSON.stringify(problems)}, wanted ${row.expErr ?? 'no error'}`;
    },
  };
}

function v2(row) {
  const text = stringify({ version: 2, workflows: { w: { plan: { steps: [{ run: row.in }] } } } });
  return repoFile({ ...row, description: row.in, expErr: row.expV2Err }, text);
}

function expansion(row) {
  return {
    name: `${row.table}: ${row.description}`,
    check: () => {
      const { config } = readRepositoryConfig(row.input, 'atlantis.yaml');
      const paths = [
        'main.tf',
        'modules/module-a/main.tf',
        'modules/module-b/main.tf',
        'modules/module-c/notes.md',
        'environments/dev/main.tf',
        'environments/prod/main.tf',
      ];
      return expectEqual(
        placeEntries(config, paths).map((entry) => entry.dir),
        row.expDirs,
      );
    },
  };
}

function step(row) {
  return {
    name: `${row.table}: ${row.description}`,
    check: () => {
      const { Key, Map: map, StringVal, CommandMap } = row.input;
      const problem = problemOfForeignStep(Key ?? plain(map ?? CommandMap ?? StringVal));
      return (problem !== undefined) === Boolean(row.expErr)
        ? undefined
        : `got ${problem}, wanted ${row.expErr || 'no error'}`;
    },
  };
}

/** Go's maps as data: their keys are written with their quotes. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== '$type')
      .map(([key, inner]) => [key.replace(/^"(.*)"$/, '$1'), plain(inner)]),
  );
}

/** A struct of Go's as the file it was read from. */
function snake(value) {
  if (isGo(value)) return constant({ $go: goText(value).replace(/^autoDiscover|^repoLocks/, '') });
  if (Array.isArray(value)) return value.map(snake);
  if (typeof value !== 'object' || value === null) return value;
  if ('Key' in value) return value.Key;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== '$type')
      .map(([key, inner]) => [
        key === 'AutoDiscover' ? 'autodiscover' : key.replaceAll(/(?<!^)(?=[A-Z])/g, '_').toLowerCase(),
        snake(inner),
      ]),
  );
}

function inFile(data) {
  return stringify({ version: 3, ...data });
}

function withVersion(text) {
  return /^version/m.test(text) ? text : `version: 3\n${text}`;
}
