import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

const SCRIPT = join(import.meta.dirname, 'bare-project.sh');
const TIMEOUT_MS = 15 * 60_000;

export interface BareOptions {
  /** A folder of its own. */
  readonly folder: string;
  /** With the credential in it: nobody else is on this machine. */
  readonly cloneUrl: string;
  readonly providerMirror: string;
  /** Keeps the states apart from those that Holdfast works on. */
  readonly ownStates: boolean;
}

/** The other side of the pairs: git and terraform, by hand. */
export interface BareTerraform {
  /** Fetches, merges, exports, and runs the commands of every project, so many at a time; milliseconds. */
  run(pull: number, projects: readonly string[], operation: 'plan' | 'apply', parallel: number): Promise<number>;
  /** The same with the branch as it is, and what a drift check wants to know. */
  check(projects: readonly string[], parallel: number): Promise<number>;
}

export async function createBareTerraform(options: BareOptions): Promise<BareTerraform> {
  const mirror = join(options.folder, 'mirror.git');
  const state = join(options.folder, 'state');
  const config = join(options.folder, 'terraform.rc');
  await mkdir(state, { recursive: true });
  await execa('git', ['init', '--quiet', '--bare', mirror]);
  await writeFile(
    config,
    `disable_checkpoint = true\nprovider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(options.providerMirror)}\n  }\n}\n`,
  );
  const git = async (...args: readonly string[]): Promise<string> =>
    (await execa('git', [`--git-dir=${mirror}`, ...args], { timeout: TIMEOUT_MS })).stdout;
  const runAll = async (
    tree: string,
    projects: readonly string[],
    operation: 'plan' | 'check' | 'apply',
    parallel: number,
  ): Promise<void> => {
    const env = {
      MIRROR: mirror,
      TREE: tree,
      WORK: join(options.folder, 'work'),
      TF_CLI_CONFIG_FILE: config,
      CHECKPOINT_DISABLE: '1',
      TF_IN_AUTOMATION: '1',
      ...(options.ownStates ? { STATE: state } : {}),
    };
    const [only] = projects;
    if (projects.length === 1 && only !== undefined) {
      await execa(SCRIPT, [only, operation], { env, timeout: TIMEOUT_MS });
    } else {
      const argv = ['-P', String(parallel), '-I', 'PROJECT', SCRIPT, 'PROJECT', operation];
      await execa('xargs', argv, { env, input: projects.join('\n'), timeout: TIMEOUT_MS });
    }
  };
  const fetch = (...refs: readonly string[]) =>
    git('fetch', '--quiet', '--no-tags', options.cloneUrl, '+refs/heads/main:refs/bench/base', ...refs);
  return {
    async run(pull, projects, operation, parallel) {
      const startedAt = performance.now();
      await fetch(`+refs/pull/${pull}/head:refs/bench/head`);
      const tree = await git('merge-tree', '--write-tree', 'refs/bench/base', 'refs/bench/head');
      await runAll(tree.trim(), projects, operation, parallel);
      return performance.now() - startedAt;
    },
    async check(projects, parallel) {
      const startedAt = performance.now();
      await fetch();
      await runAll('refs/bench/base', projects, 'check', parallel);
      return performance.now() - startedAt;
    },
  };
}

/** As `xargs -P` is given on both sides. */
export function sideBySide(): number {
  return availableParallelism() * 2;
}
