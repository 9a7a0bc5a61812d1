import { stringify } from 'yaml';
import { repositoryConfig } from './repo-config-schema.ts';
import { toJsonSchema, type JsonSchema } from './schema-problems.ts';
import { serverConfig } from './server-schema.ts';

/** Everything in `config/` that is made from the schemas, by path from the project's top. */
export function generateAll(): ReadonlyMap<string, string> {
  const server = toJsonSchema(serverConfig);
  const repository = toJsonSchema(repositoryConfig);
  return new Map([
    ['config/server.example.yaml', toExample(server)],
    ['config/schemas/server.schema.json', `${JSON.stringify(server, undefined, 2)}\n`],
    ['config/schemas/holdfast.schema.json', `${JSON.stringify(repository, undefined, 2)}\n`],
    ['config/README.md', toReference(server, repository)],
  ]);
}

/** Every key, commented out with its default, so that the file as it is changes nothing. */
function toExample(server: JsonSchema): string {
  const head = [
    '# yaml-language-server: $schema=./schemas/server.schema.json',
    '# Server config of Holdfast: HOLDFAST_CONFIG names this file. Every key is optional and shown with its default;',
    '# a key with a variable can come from the environment instead, which wins.',
  ];
  const keys = Object.entries(server.properties ?? {}).flatMap(([name, schema]) => [
    '',
    ...exampleKey(name, schema, ''),
  ]);
  return `${[...head, ...keys].join('\n')}\n`;
}

function exampleKey(name: string, schema: JsonSchema, indent: string): readonly string[] {
  const about = `${indent}# ${schema.description ?? ''}${schema.env === undefined ? '' : ` (${schema.env})`}`;
  if (isGroup(schema)) {
    const inner = Object.entries(schema.properties ?? {}).flatMap(([key, value]) =>
      exampleKey(key, value, `${indent}#   `),
    );
    return [
      about,
      `${indent}#${name}:`,
      ...inner.map((line) => line.replace('#   # ', '#   ## ').replace('#   #', '#   ')),
    ];
  }
  const value = schema.default === undefined ? '' : ` ${stringify(schema.default, { collectionStyle: 'flow' }).trim()}`;
  return [about, `${indent}#${name}:${value}`];
}

function isGroup(schema: JsonSchema): boolean {
  return schema.properties !== undefined && schema.default !== undefined;
}

function toReference(server: JsonSchema, repository: JsonSchema): string {
  return [
    '# Configuration reference',
    '',
    'Made from the schemas in `src/config`; `node src/config/write-generated.ts` writes it anew, `npm run check` fails when it is stale.',
    '',
    '- `server.example.yaml`: every key of the server with its default.',
    '- `schemas/server.schema.json`, `schemas/holdfast.schema.json`: JSON Schemas for editors.',
    '',
    '## Server',
    '',
    'From `HOLDFAST_*` variables, from the YAML file that `HOLDFAST_CONFIG` names, or from both; a variable wins. An empty variable is not set. Lists are separated by commas in a variable. `HTTPS_PROXY`, `NO_PROXY`, `XDG_DATA_HOME` and `HOME` are read as everywhere. An unknown key or `HOLDFAST_*` variable is an error.',
    '',
    ...table(server, true),
    '',
    '## Repository: `holdfast.yaml`',
    '',
    'Read from the top of the repository; without it `atlantis.yaml` version 3. Keys that decide what runs and who may (`workflows`, `workflow`, `plan_requirements`, `apply_requirements`, `repo_locks`, `automerge`) count as they are on the base branch; `drift` counts as it is on the tracked branch. Keys that only Atlantis knows are said in the comment.',
    '',
    'Without a `workflow` a plan is `init` and `plan`; a file `env/<workspace>.tfvars` in the project is given to `plan` as `-var-file`, as Atlantis does.',
    '',
    ...table(repository, false),
    '',
  ].join('\n');
}

function table(schema: JsonSchema, withVariable: boolean): readonly string[] {
  const head = withVariable
    ? ['| key | variable | default | meaning |', '|---|---|---|---|']
    : ['| key | default | meaning |', '|---|---|---|'];
  return [...head, ...withoutRepeats(listKeys(schema, '')).map(({ path, key }) => toRow(path, key, withVariable))];
}

interface ListedKey {
  readonly path: string;
  readonly key: JsonSchema;
}

/** What is inside of a group is told once, not again for the same group in the entries of a list. */
function withoutRepeats(keys: readonly ListedKey[]): readonly ListedKey[] {
  const told = new Map(keys.map(({ path, key }) => [path, key.description]));
  return keys.filter(({ path, key }) => {
    const above = /^[a-z_]+\[\]\.(?<path>.+\..+)$/.exec(path)?.groups?.path;
    return above === undefined || told.get(above) !== key.description;
  });
}

function toRow(path: string, key: JsonSchema, withVariable: boolean): string {
  const value =
    isGroup(key) || key.default === undefined ? '' : `\`${JSON.stringify(key.default).replaceAll('"', '')}\``;
  const cells = [
    `\`${path}\``,
    ...(withVariable ? [key.env === undefined ? '' : `\`${key.env}\``] : []),
    value,
    key.description ?? '',
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function listKeys(schema: JsonSchema, prefix: string): readonly ListedKey[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, key]) => {
    const path = prefix + name;
    const named =
      typeof key.additionalProperties === 'object' ? listKeys(key.additionalProperties, `${path}.<name>.`) : [];
    const items = key.items === undefined ? [] : listKeys(key.items, `${path}[].`);
    return [{ path, key }, ...listKeys(key, `${path}.`), ...items, ...named];
  });
}
