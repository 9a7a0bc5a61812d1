import { access, constants, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import semver from 'semver';
import { z } from 'zod';
import type { TerraformDistribution } from '../../src/core/configuration-file.ts';
import { meetsConstraint } from '../../src/core/version-constraint.ts';

/** An executable that was found, asked for its version, and fits. */
export interface TerraformBinary {
  readonly distribution: TerraformDistribution;
  /** Absolute, links resolved. */
  readonly path: string;
  /** Such as `1.11.4`. */
  readonly version: string;
}

export interface TerraformRequest {
  readonly distribution: TerraformDistribution;
  /** The project's `terraform_version`: exact, or undefined for any. */
  readonly version: string | undefined;
  /** `required_version` constraints of the root module. */
  readonly requiredVersions: readonly string[];
}

export interface TerraformFinder {
  /** The binary for a project, or what is missing and how to mend it. */
  find(request: TerraformRequest): Promise<TerraformBinary | { readonly problem: string }>;
}

const PROGRAM: Readonly<Record<TerraformDistribution, string>> = { terraform: 'terraform', opentofu: 'tofu' };
const NAME: Readonly<Record<TerraformDistribution, string>> = { terraform: 'Terraform', opentofu: 'OpenTofu' };
const VERSION_TIMEOUT_MS = 20_000;
const versionAnswer = z.looseObject({ terraform_version: z.string() });

/**
 * Looks at the binaries the operator named and at those in `directories` (the PATH), and asks the latter for their version once.
 * The one on the PATH is taken when it fits; else the newest that does.
 */
export function createTerraformFinder(options: {
  readonly binaries: readonly TerraformBinary[];
  readonly directories: readonly string[];
}): TerraformFinder {
  const onPath = new Map<TerraformDistribution, Promise<TerraformBinary | undefined>>();
  const findOnPath = (distribution: TerraformDistribution) => {
    const known = onPath.get(distribution) ?? searchPath(distribution, options.directories);
    onPath.set(distribution, known);
    return known;
  };
  return {
    async find(request) {
      const own = await findOnPath(request.distribution);
      // A binary that is installed later is found without a restart.
      if (own === undefined) onPath.delete(request.distribution);
      const named = options.binaries
        .filter(({ distribution }) => distribution === request.distribution)
        .toSorted((left, right) => semver.rcompare(left.version, right.version));
      const candidates = [...(own === undefined ? [] : [own]), ...named];
      const fitting = candidates.filter((binary) => fits(binary, request));
      for (const binary of fitting) if (await isExecutable(binary.path)) return resolved(binary);
      return { problem: explainMissing(request, candidates, fitting) };
    },
  };
}

function fits(binary: TerraformBinary, { version, requiredVersions }: TerraformRequest): boolean {
  if (version !== undefined && binary.version !== version.replace(/^v/, '')) return false;
  // A constraint that cannot be read is Terraform's to judge.
  return requiredVersions.every((constraint) => meetsConstraint(binary.version, constraint) !== false);
}

async function searchPath(
  distribution: TerraformDistribution,
  directories: readonly string[],
): Promise<TerraformBinary | undefined> {
  for (const directory of directories) {
    const path = join(directory, PROGRAM[distribution]);
    if (!(await isExecutable(path))) continue;
    const version = await askVersion(path);
    if (version !== undefined) return { distribution, path: await realpath(path), version };
  }
  return undefined;
}

/** The version a binary says it is; undefined when it does not answer like Terraform or OpenTofu. */
export async function askVersion(path: string): Promise<string | undefined> {
  const { stdout } = await execa(path, ['version', '-json'], {
    cwd: '/',
    env: { CHECKPOINT_DISABLE: '1', TF_CLI_CONFIG_FILE: '/dev/null' },
    extendEnv: false,
    reject: false,
    timeout: VERSION_TIMEOUT_MS,
  });
  try {
    return versionAnswer.parse(JSON.parse(stdout ?? '')).terraform_version;
  } catch {
    return undefined;
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function resolved(binary: TerraformBinary): Promise<TerraformBinary> {
  return { ...binary, path: await realpath(binary.path) };
}

function explainMissing(
  { distribution, version, requiredVersions }: TerraformRequest,
  candidates: readonly TerraformBinary[],
  fitting: readonly TerraformBinary[],
): string {
  const name = NAME[distribution];
  const gone = fitting[0];
  if (gone !== undefined) {
    return `${name} ${gone.version} should be at ${gone.path}, but there is no program that can be run. Put it there, or correct the server's list of binaries.`;
  }
  const wanted = [
    ...(version === undefined ? [] : [`version ${version} (terraform_version)`]),
    ...requiredVersions.map((constraint) => `"${constraint}" (required_version)`),
  ].join(' and ');
  const program = PROGRAM[distribution];
  if (candidates.length === 0) {
    return `${name} is not installed${wanted === '' ? '' : `, and this project asks for ${wanted}`}. Install \`${program}\` into a folder of the server's PATH, or name its path in the server's list of binaries.`;
  }
  const have = candidates.map((binary) => binary.version).join(', ');
  return `This project asks for ${name} ${wanted}, but the server has ${have}. Install that version and name it in the server's list of binaries, or change what the project asks for.`;
}
