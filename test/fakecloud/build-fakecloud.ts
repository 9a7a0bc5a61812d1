import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, version as esbuildVersion } from 'esbuild';

/** As in the sandbox port; test servers and scenarios may use this module without seeing `src`. */
export interface ReadOnlyMount {
  readonly source: string;
  readonly mode: 'ro';
}

export interface FakecloudBuild {
  /** A filesystem mirror with `registry.terraform.io/holdfast/fakecloud` 1.0.0. */
  readonly mirrorDirectory: string;
  /** What a sandbox must see for the provider to run: the mirror and the Node that its first line names. */
  readonly mounts: readonly ReadOnlyMount[];
}

const HERE = dirname(fileURLToPath(import.meta.url));
const CACHE = join(HERE, '../../node_modules/.cache/fakecloud');
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
/** Linux cuts a script's first line here, and then does not find the interpreter. */
const SHEBANG_LIMIT = 250;

/**
 * Bundles the provider once per content, so that lock files with its hash stay valid from test to test. Safe to call from several
 * processes at a time: the first to finish wins.
 */
export async function buildFakecloud(): Promise<FakecloudBuild> {
  const node = process.execPath;
  if (node.length > SHEBANG_LIMIT) {
    throw new Error(`The path of Node is too long for a script's first line: ${node}. Use a shorter folder.`);
  }
  const directory = join(CACHE, await contentHash(node));
  const mirrorDirectory = join(directory, 'mirror');
  const built = await stat(mirrorDirectory).catch(() => undefined);
  if (built === undefined) await buildInto(directory, node);
  return {
    mirrorDirectory,
    mounts: [
      { source: mirrorDirectory, mode: 'ro' },
      { source: node, mode: 'ro' },
    ],
  };
}

async function contentHash(node: string): Promise<string> {
  const hash = createHash('sha256').update(`${esbuildVersion}\0${node}\0`);
  const files = (await readdir(HERE)).filter((name) => name.endsWith('.ts')).toSorted();
  for (const name of files) hash.update(`${name}\0`).update(await readFile(join(HERE, name)));
  return hash.digest('hex').slice(0, 20);
}

async function buildInto(directory: string, node: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const temporary = await mkdtemp(join(CACHE, 'building-'));
  await chmod(temporary, 0o755);
  const platform = `linux_${ARCHITECTURES[arch()] ?? arch()}`;
  const folder = join(temporary, 'mirror/registry.terraform.io/holdfast/fakecloud/1.0.0', platform);
  await mkdir(folder, { recursive: true });
  const bundle = await build({
    entryPoints: [join(HERE, 'main.ts')],
    bundle: true,
    platform: 'node',
    // A file without extension is CommonJS to Node.
    format: 'cjs',
    target: 'node20',
    minify: true,
    write: false,
  });
  const program = join(folder, 'terraform-provider-fakecloud_v1.0.0');
  await writeFile(program, `#!${node}\n${bundle.outputFiles[0]?.text ?? ''}`, { mode: 0o755 });
  try {
    await rename(temporary, directory);
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true });
    if (!['ENOTEMPTY', 'EEXIST'].includes((cause as NodeJS.ErrnoException).code ?? '')) throw cause;
  }
}
