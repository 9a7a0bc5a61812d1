import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ServerConfig } from '../../config/server-config.ts';
import { type Finding, good, note, problem } from './finding.ts';

/** Where this installation keeps its files, and what runs are shown of the machine. */
export async function checkDataDirectory(config: ServerConfig, isRoot: boolean): Promise<readonly Finding[]> {
  const { dataDir } = config;
  const place = await nearestExisting(dataDir);
  const findings: Finding[] = [];
  if (!(await mayWrite(place))) {
    const mend = `Make it writable for the user that runs Holdfast, or set HOLDFAST_DATA_DIR.`;
    return [problem(`the data directory ${dataDir} cannot be ${place === dataDir ? 'written to' : 'made'}`, mend)];
  }
  findings.push(good(place === dataDir ? `data directory ${dataDir}` : `data directory ${dataDir}, made at the start`));
  if (isRoot && config.sandbox.kind === 'bubblewrap') findings.push(...(await checkWay(dataDir)));
  findings.push(await checkFreeSpace(place, config.minimumFreeBytes));
  const { directory } = config.providerMirror;
  const shown = [...config.sandbox.mounts.map(({ path }) => path), ...(directory === undefined ? [] : [directory])];
  for (const path of shown) findings.push(...(await checkMount(path, isRoot)));
  return findings;
}

/** As root every run gets a user of its own, who must be able to pass through all folders above its checkout. */
async function checkWay(path: string): Promise<readonly Finding[]> {
  const closed = await closedFolders(dirname(path));
  if (closed === undefined) return [];
  const mend = `chmod o+x ${closed}, or set HOLDFAST_DATA_DIR to a folder such as /var/lib/holdfast.`;
  return [problem(`the users of sandboxes cannot reach ${path}: ${closed} is closed to others`, mend)];
}

async function closedFolders(path: string): Promise<string | undefined> {
  for (let at = path; ; at = dirname(at)) {
    const found = await stat(at).catch(() => undefined);
    if (found !== undefined && (found.mode & 0o001) === 0) return at;
    if (at === dirname(at)) return undefined;
  }
}

async function checkMount(path: string, isRoot: boolean): Promise<readonly Finding[]> {
  const closed = isRoot ? await closedFolders(dirname(path)) : undefined;
  if (closed === undefined) return [];
  return [problem(`the users of sandboxes cannot reach ${path}: ${closed} is closed to others`, `chmod o+x ${closed}`)];
}

async function checkFreeSpace(place: string, needed: number): Promise<Finding> {
  const { bavail, bsize } = await statfs(place);
  const free = bavail * bsize;
  const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  if (free >= 2 * needed) return good(`${gib(free)} are free there`);
  const mend = 'Make room, or lower HOLDFAST_MINIMUM_FREE.';
  if (free >= needed) return note(`${gib(free)} are free there; below ${gib(needed)} no run is started`, mend);
  return problem(`${gib(free)} are free there, and runs need ${gib(needed)}`, mend);
}

async function nearestExisting(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined || path === dirname(path) ? path : nearestExisting(dirname(path));
}

async function mayWrite(path: string): Promise<boolean> {
  return access(path, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}
