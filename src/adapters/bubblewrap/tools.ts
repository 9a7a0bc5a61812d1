import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';

/** Programs the sandbox is built with: a bare name is searched in the system's folders, never in `PATH`, because root runs them. */
export interface SandboxTools {
  readonly bwrap: string;
  readonly slirp4netns: string;
  readonly setpriv: string;
  readonly ip: string;
  readonly nsenter: string;
  readonly prlimit: string;
  readonly chown: string;
  readonly chmod: string;
  readonly du: string;
  readonly mkfifo: string;
}

export type SandboxTool = keyof SandboxTools;

/** The Debian and Ubuntu package of each tool. */
export const TOOL_PACKAGES: Readonly<Record<SandboxTool, string>> = {
  bwrap: 'bubblewrap',
  slirp4netns: 'slirp4netns',
  setpriv: 'util-linux',
  ip: 'iproute2',
  nsenter: 'util-linux',
  prlimit: 'util-linux',
  chown: 'coreutils',
  chmod: 'coreutils',
  du: 'coreutils',
  mkfifo: 'coreutils',
};

const FOLDERS = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/bin', '/sbin'];

/** The absolute path of each tool; undefined where it is missing. */
export type LocatedTools = Readonly<Record<SandboxTool, string | undefined>>;

export async function locateTools(named: Partial<SandboxTools>): Promise<LocatedTools> {
  const names = Object.keys(TOOL_PACKAGES) as SandboxTool[];
  const found = await Promise.all(names.map(async (name) => [name, await locate(named[name] ?? name)] as const));
  return Object.fromEntries(found) as Record<SandboxTool, string | undefined>;
}

async function locate(nameOrPath: string): Promise<string | undefined> {
  const candidates = nameOrPath.includes('/') ? [nameOrPath] : FOLDERS.map((folder) => join(folder, nameOrPath));
  for (const candidate of candidates) {
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** A tool that is missing keeps its name: those who need it ask `missingTools` first. */
export function namedTools(located: LocatedTools): SandboxTools {
  const at = (name: SandboxTool) => located[name] ?? name;
  return {
    bwrap: at('bwrap'),
    slirp4netns: at('slirp4netns'),
    setpriv: at('setpriv'),
    ip: at('ip'),
    nsenter: at('nsenter'),
    prlimit: at('prlimit'),
    chown: at('chown'),
    chmod: at('chmod'),
    du: at('du'),
    mkfifo: at('mkfifo'),
  };
}

/** One line per missing tool, with the command that installs it. */
export function missingTools(located: LocatedTools, needed: readonly SandboxTool[]): string[] {
  return needed
    .filter((name) => located[name] === undefined)
    .map((name) => `The program ${name} is missing. Install it with: apt-get install ${TOOL_PACKAGES[name]}`);
}
