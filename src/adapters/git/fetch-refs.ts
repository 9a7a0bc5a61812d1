import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { commitSha, isCommitSha, type CommitSha } from '../../core/repository.ts';
import { MirrorError } from '../../ports/repository-mirror.ts';
import type { GitSource } from '../../ports/vcs-host.ts';
import type { FileLock } from './file-lock.ts';
import { describeFailure, type GitCall, type GitResult, type RunGit } from './git-command.ts';
import { sourceSettings } from './git-environment.ts';
import { ensureMirror, rebuildMirror, type MirrorFolder } from './mirror-folder.ts';
import { isRefName, privateRef } from './ref-name.ts';

export type FetchedRefs = ReadonlyMap<string, CommitSha | undefined>;

interface Fetch {
  readonly git: RunGit;
  readonly folder: MirrorFolder;
  readonly lock: FileLock;
  readonly source: GitSource;
}

/** How often a ref may vanish between being listed and being fetched. */
const ATTEMPTS = 3;

/** Git's words for a server that is away, and for one that says no; from `remote-curl.c`, `http.c` and curl's messages. */
const UNAVAILABLE =
  /could not resolve|failed to connect|connection (?:refused|reset|timed out)|timed? ?out|hung up|early EOF|RPC failed|error: (?:5\d\d|429)|empty reply|unexpected disconnect|network is unreachable|SSL|too slow/i;
const REFUSED =
  /authentication failed|could not read (?:username|password)|error: 4(?!29)\d\d|repository .* not found|does not appear to be a git repository|access denied|dubious ownership|redirect/i;

/** What is wrong with the arguments, in words; nothing has been run then. */
export function checkFetch(source: GitSource, refs: readonly string[]): void {
  const url = URL.parse(source.url);
  if (!url || !['https:', 'http:', 'file:'].includes(url.protocol)) {
    throw new TypeError('the address of a repository must begin with https://, http:// or file://');
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('the address of a repository must hold no user or password: the credential is given beside it');
  }
  if (/[\p{Cc}]/u.test(`${source.url}${source.username ?? ''}${source.password?.reveal() ?? ''}`)) {
    throw new TypeError('the address or credential of a repository holds a control character');
  }
  const wrong = refs.find((ref) => !isRefName(ref));
  if (wrong !== undefined) throw new TypeError(`not a full ref name: ${JSON.stringify(wrong.slice(0, 100))}`);
}

/** Under the lock: brings the refs in, and builds the mirror anew when it proves to be broken. */
export async function fetchRefs(fetch: Fetch, refs: readonly string[]): Promise<FetchedRefs> {
  await ensureMirror(fetch.folder, fetch.git);
  await removeStaleLocks(fetch.folder);
  try {
    return await fetchInto(fetch, refs);
  } catch (error) {
    if (!(await isDamaged(fetch, error))) throw error;
  }
  await rebuildMirror(fetch.folder, fetch.git);
  return await fetchInto(fetch, refs);
}

async function fetchInto(fetch: Fetch, refs: readonly string[]): Promise<FetchedRefs> {
  let present = [...new Set(refs)];
  for (let attempt = 1; present.length > 0; attempt += 1) {
    const result = await remoteCall(fetch, {
      args: [
        'fetch',
        '--quiet',
        '--no-tags',
        '--no-write-fetch-head',
        '--no-auto-maintenance',
        '--no-recurse-submodules',
        '--',
        fetch.source.url,
        ...present.map((ref) => `+${ref}:${privateRef(ref)}`),
      ],
    });
    if (result.exitCode === 0) break;
    if (attempt > ATTEMPTS || !/couldn't find remote ref/.test(result.stderr))
      throw remoteFailure(fetch.source, result);
    present = await listPresent(fetch, present);
  }
  await forget(
    fetch,
    refs.filter((ref) => !present.includes(ref)),
  );
  return await readRefs(fetch, refs, present);
}

/** Git refuses a whole fetch when one of its refs does not exist, and names only the first. */
async function listPresent(fetch: Fetch, refs: readonly string[]): Promise<string[]> {
  const result = await remoteCall(fetch, { args: ['ls-remote', '--quiet', '--', fetch.source.url, ...refs] });
  if (result.exitCode !== 0) throw remoteFailure(fetch.source, result);
  const listed = new Set(
    result.stdout
      .toString()
      .split('\n')
      .map((line) => line.split('\t')[1]),
  );
  return refs.filter((ref) => listed.has(ref));
}

async function forget(fetch: Fetch, refs: readonly string[]): Promise<void> {
  if (refs.length === 0) return;
  const input = refs.map((ref) => `delete ${privateRef(ref)}\n`).join('');
  const result = await localCall(fetch, { args: ['update-ref', '--stdin'], input });
  if (result.exitCode !== 0) throw new MirrorError('failed', describeFailure('old refs could not be removed', result));
}

/** The commits the private refs name; a tag's commit, not the tag. */
async function readRefs(fetch: Fetch, refs: readonly string[], present: readonly string[]): Promise<FetchedRefs> {
  const result = await localCall(fetch, {
    args: ['cat-file', '--batch-check=%(objectname)'],
    input: present.map((ref) => `${privateRef(ref)}^{commit}\n`).join(''),
  });
  const lines = result.stdout.toString().split('\n');
  const found = new Map<string, CommitSha | undefined>(refs.map((ref) => [ref, undefined]));
  for (const [index, ref] of present.entries()) {
    const line = lines[index] ?? '';
    if (!isCommitSha(line)) throw new MirrorError('failed', `${ref} was fetched, but names no commit that can be read`);
    found.set(ref, commitSha(line));
  }
  return found;
}

/** A failure that is not the server's doing is looked into. A mirror too broken to be looked through in time is broken enough. */
async function isDamaged(fetch: Fetch, error: unknown): Promise<boolean> {
  if (!(error instanceof MirrorError) || error.kind !== 'failed') return false;
  const check = await localCall(fetch, { args: ['fsck', '--full', '--no-dangling', '--no-progress'] });
  return check.exitCode !== 0;
}

function remoteCall(fetch: Fetch, call: GitCall): Promise<GitResult> {
  const { config, env } = sourceSettings(fetch.source);
  return localCall(fetch, { ...call, config, env });
}

function localCall(fetch: Fetch, call: GitCall): Promise<GitResult> {
  return fetch.git({ ...call, gitDir: fetch.folder.gitDir, held: fetch.lock.held });
}

/** Why a source did not answer as it should, without the credential. */
export function remoteFailure(source: GitSource, result: GitResult): MirrorError {
  const password = source.password?.reveal();
  const text = describeFailure(`fetching from ${new URL(source.url).host || source.url}`, result);
  const message = password ? text.replaceAll(password, '[redacted]') : text;
  if (REFUSED.test(result.stderr)) return new MirrorError('refused', message);
  if (result.stoppedBy === 'timeout' || UNAVAILABLE.test(result.stderr)) return new MirrorError('unavailable', message);
  return new MirrorError('failed', message);
}

/**
 * A git that was killed leaves `x.lock` beside a ref, and every later one stops at it. Whoever writes refs holds our lock
 * until its last process has ended, so what is found here belongs to nobody.
 */
async function removeStaleLocks(folder: MirrorFolder): Promise<void> {
  const refs = join(folder.gitDir, 'refs', 'mirror');
  const names = await readdir(refs).catch(() => []);
  const stale = names.filter((name) => name.endsWith('.lock')).map((name) => join(refs, name));
  stale.push(join(folder.gitDir, 'packed-refs.lock'));
  await Promise.all(stale.map((path) => rm(path, { force: true })));
}
