import { execa } from 'execa';
import semver from 'semver';
import type { ServerConfig } from '../../config/server-config.ts';
import { askVersion, createTerraformFinder } from '../../../workers/steps/terraform-binary.ts';
import { type Finding, good, note, problem } from './finding.ts';

/** `git merge-tree --write-tree` came with it. */
const OLDEST_GIT = '2.38.0';
const TIMEOUT_MS = 10_000;
const NAMES = { terraform: 'Terraform', opentofu: 'OpenTofu' } as const;

/** git, flock and Terraform, as the server would find them. */
export async function checkTools(config: ServerConfig, path: string): Promise<readonly Finding[]> {
  return [
    await checkGit(path),
    await checkFlock(config, path),
    ...(await checkOnPath(config, path)),
    ...(await Promise.all(config.terraform.binaries.map(checkNamed))),
  ];
}

async function checkGit(path: string): Promise<Finding> {
  const said = await ask('git', ['--version'], path);
  if (said === undefined) return problem('git is not installed', 'apt-get install git');
  const version = semver.coerce(said)?.version ?? '0.0.0';
  if (semver.gte(version, OLDEST_GIT)) return good(`git ${version}`);
  return problem(`git ${version} is too old: merges are made with what came in ${OLDEST_GIT}`, 'Install a newer git.');
}

/** Guards the data directory. Not found where only the server's own folders are searched, so those count and not the PATH of a shell. */
async function checkFlock({ databaseUrl }: ServerConfig, path: string): Promise<Finding> {
  const said = await ask('flock', ['--version'], `/usr/local/bin:/usr/bin:/bin:${path}`);
  if (said !== undefined) return good('flock');
  const text = 'flock is not installed';
  return databaseUrl === undefined
    ? problem(`${text}: the embedded database needs it`, 'apt-get install util-linux')
    : note(text, 'apt-get install util-linux');
}

async function checkOnPath({ terraform }: ServerConfig, path: string): Promise<readonly Finding[]> {
  const finder = createTerraformFinder({ binaries: terraform.binaries, directories: path.split(':') });
  const findings: Finding[] = [];
  for (const distribution of ['terraform', 'opentofu'] as const) {
    const found = await finder.find({ distribution, version: undefined, requiredVersions: [] });
    if ('version' in found) findings.push(good(`${NAMES[distribution]} ${found.version} (${found.path})`));
    else if (distribution === terraform.distribution) findings.push(problem(found.problem));
  }
  return findings;
}

async function checkNamed({ distribution, version, path }: ServerConfig['terraform']['binaries'][number]) {
  const said = await askVersion(path).catch(() => undefined);
  const name = `${NAMES[distribution]} ${version} (${path})`;
  const mend = 'Put it there, or correct terraform.binaries in the server’s config.';
  if (said === undefined) return problem(`${name} cannot be run`, mend);
  return said === version ? good(name) : problem(`${path} is ${said}, and the config says ${version}`, mend);
}

/** What a program prints about itself; undefined when it cannot be run. */
async function ask(program: string, args: readonly string[], path: string): Promise<string | undefined> {
  const result = await execa(program, args, {
    env: { PATH: path },
    extendEnv: false,
    reject: false,
    timeout: TIMEOUT_MS,
  });
  return result.failed ? undefined : result.stdout;
}
