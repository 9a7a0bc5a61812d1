import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A user and group id that processes run as and files belong to. */
export interface ServerAccount {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The id the server runs as when we are root: PostgreSQL refuses to be root. It needs no entry in /etc/passwd, so no user is created, and it
 * shares nothing with a PostgreSQL that the machine may have. From the range that systemd leaves unused (60578 to 61183,
 * https://systemd.io/UIDS-GIDS/) and that a container with 65536 ids still has.
 */
const DEDICATED_ID = 61_141;

/** Who the server is to run as; undefined when we are no root, and it runs as ourselves. An existing cluster keeps its owner. */
export async function serverAccount(cluster: string): Promise<ServerAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await stat(cluster).catch(() => undefined);
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  return { uid: DEDICATED_ID, gid: DEDICATED_ID };
}

/**
 * Who makes a new cluster when we are root. initdb and the single-user mode look their own user up by name and stop without one, so they run
 * as `nobody`, in a folder that only it may enter, and the files change hands afterwards.
 */
export async function nobodyAccount(): Promise<ServerAccount> {
  const entry = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .map((line) => line.split(':'))
    .find((fields) => fields[0] === 'nobody');
  const account = { uid: Number(entry?.[2]), gid: Number(entry?.[3]) };
  if (account.uid > 0 && account.gid > 0) return account;
  throw new Error(
    'The embedded PostgreSQL cannot be made as root without the user "nobody" in /etc/passwd. Add it, start Holdfast as an ordinary user, or set HOLDFAST_DATABASE_URL.',
  );
}

/** The first folder on the way to `path` (itself included) that the account may not enter; undefined when it can go all the way. */
export async function firstClosedFolder(path: string, account: ServerAccount): Promise<string | undefined> {
  const folders = [path];
  for (let folder = path; dirname(folder) !== folder; folder = dirname(folder)) folders.unshift(dirname(folder));
  for (const folder of folders) {
    const { mode, uid, gid } = await stat(folder);
    const needed = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & needed) === 0) return folder;
  }
  return undefined;
}
