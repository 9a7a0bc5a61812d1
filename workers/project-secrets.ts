import { readFile, stat } from 'node:fs/promises';
import { variableFileSecrets } from '../src/core/declared-secrets.ts';
import type { Project } from '../src/core/project.ts';
import type { RepositoryRef } from '../src/core/repository.ts';
import { listLocalModules } from '../src/core/root-module.ts';
import { looksSecret } from '../src/core/sensitive-values.ts';
import { valueLeaves } from '../src/core/value-leaves.ts';
import type { CommitFacts } from './commit-facts.ts';
import type { RunContext } from './run-context.ts';
import type { Credentials } from './steps/project-run.ts';

const MAX_VARIABLE_FILES = 100;
const MAX_FILE_BYTES = 256 * 1024;

/** What must not be shown of a project, as far as its files and the operator's credentials tell before anything runs. */
export async function findProjectSecrets(
  context: Pick<RunContext, 'commits' | 'hcl'>,
  repository: RepositoryRef,
  commit: CommitFacts,
  project: Project,
  credentials: Credentials,
): Promise<readonly string[]> {
  const directories = [project.dir, ...listLocalModules(commit.configuration, project.dir)];
  const declared = directories.flatMap((dir) => commit.configuration.get(dir)?.secrets ?? []);
  const own = commit.configuration.get(project.dir)?.secrets.variables ?? [];
  return [
    ...declared.flatMap(({ values }) => values),
    ...(await secretsOfVariableFiles(context, repository, commit, project.dir, new Set(own))),
    ...(await credentialSecrets(credentials)),
  ];
}

/** Every file of variables below the project counts: which of them Terraform is given is up to its arguments. */
async function secretsOfVariableFiles(
  { commits, hcl }: Pick<RunContext, 'commits' | 'hcl'>,
  repository: RepositoryRef,
  commit: CommitFacts,
  dir: string,
  sensitive: ReadonlySet<string>,
): Promise<readonly string[]> {
  const below = dir === '.' ? '' : `${dir}/`;
  const paths = commit.paths
    .filter((path) => path.startsWith(below) && /\.tfvars(?:\.json)?$/.test(path))
    .slice(0, MAX_VARIABLE_FILES);
  if (paths.length === 0) return [];
  const texts = await commits.readFiles(repository, commit.sha, paths, MAX_FILE_BYTES);
  const parsed = await hcl.parse([...texts].map(([path, text]) => ({ path, text })));
  return parsed.flatMap((file) => ('body' in file ? variableFileSecrets(file.body, sensitive) : []));
}

async function credentialSecrets({ init, plan, apply }: Credentials): Promise<readonly string[]> {
  const phases = [init, plan, apply];
  const values = phases.flatMap(({ env }) => Object.values(env).map((secret) => secret.reveal()));
  const files = new Set(phases.flatMap(({ mounts }) => mounts.map(({ source }) => source)));
  const texts = await Promise.all([...files].map(readSmallFile));
  return [...values, ...texts.flatMap(fileSecrets)];
}

/** A credential may be a folder, or not there yet; the sandbox will say so when it is mounted. */
async function readSmallFile(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    return size > MAX_FILE_BYTES ? '' : await readFile(path, 'utf8');
  } catch {
    return '';
  }
}

/** Secrets in a credential file: all of it when it is one line, else what stands behind a secret-looking name in JSON or `name = value` lines. */
export function fileSecrets(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length <= 1) return lines;
  const json = parseJson(text);
  if (json !== undefined)
    return [...valueLeaves(json)].flatMap(([path, leaf]) =>
      typeof leaf === 'string' && looksSecret(path) ? [leaf] : [],
    );
  return lines.flatMap((line) => {
    const match = /^\s*"?(?<name>[\w.-]+)"?\s*[:=]\s*(?<value>\S.*)$/.exec(line);
    const { name = '', value = '' } = match?.groups ?? {};
    return looksSecret(name) ? [value.trim().replace(/^(["'])(.*)\1$/, '$2')] : [];
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
