import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

/** Content of a file: text, bytes, or one with a mode of its own (100755, 120000 symbolic link); null removes it. */
export type FileContent = string | Buffer | { readonly content: string | Buffer; readonly mode: string } | null;
export type Files = Readonly<Record<string, FileContent>>;

export interface Identity {
  readonly name: string;
  readonly email: string;
}

export interface ChangedFile {
  readonly status: 'added' | 'modified' | 'removed' | 'renamed' | 'changed';
  readonly path: string;
  readonly previousPath: string | undefined;
  readonly additions: number;
  readonly deletions: number;
  readonly blob: string;
}

export interface Commit {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Identity;
  readonly date: string;
  readonly message: string;
}

const ENVIRONMENT = { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_TERMINAL_PROMPT: '0' };
const FIELDS = '%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%B';

export async function git(directory: string, args: readonly string[], input?: string | Buffer): Promise<string> {
  const { stdout } = await execa('git', ['-C', directory, ...args], {
    env: ENVIRONMENT,
    ...(input === undefined ? {} : { input }),
  });
  return stdout;
}

/** As GitHub configures its repositories, in what a client can tell: `refs/pull/*` is readable and cannot be pushed to. */
const CONFIG = `[http]
\treceivepack = true
[receive]
\thideRefs = refs/pull
\tdenyDeleteCurrent = refuse
\tautogc = false
[uploadpack]
\tallowAnySHA1InWant = true
\tallowFilter = true
[gc]
\tauto = 0
`;

export async function initRepository(directory: string, defaultBranch: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await git(directory, ['init', '--bare', '--quiet', '--template=', `--initial-branch=${defaultBranch}`]);
  await appendFile(join(directory, 'config'), CONFIG);
}

function dataOf(content: string | Buffer): Buffer[] {
  const bytes = Buffer.from(content);
  return [Buffer.from(`data ${bytes.length}\n`), bytes, Buffer.from('\n')];
}

function fileCommands(files: Files): Buffer[] {
  return Object.entries(files).flatMap(([path, file]) => {
    const name = JSON.stringify(path);
    if (file === null) return [Buffer.from(`D ${name}\n`)];
    const { content, mode } =
      typeof file === 'string' || Buffer.isBuffer(file) ? { content: file, mode: '100644' } : file;
    return [Buffer.from(`M ${mode} inline ${name}\n`), ...dataOf(content)];
  });
}

export interface CommitOrder {
  readonly branch: string;
  /** Parent; undefined makes a root commit. */
  readonly from: string | undefined;
  readonly files: Files;
  readonly message: string;
  readonly author: Identity;
}

/** One commit in one process, whatever the number of files. Moves the branch, also backwards. */
export async function commitFiles(directory: string, order: CommitOrder): Promise<string> {
  const { name, email } = order.author;
  const when = `${Math.floor(Date.now() / 1000)} +0000`;
  const ref = `refs/heads/${order.branch}`;
  const input = Buffer.concat([
    Buffer.from(`commit ${ref}\nmark :1\nauthor ${name} <${email}> ${when}\ncommitter ${name} <${email}> ${when}\n`),
    ...dataOf(order.message),
    Buffer.from(order.from === undefined ? 'deleteall\n' : `from ${order.from}\n`),
    ...fileCommands(order.files),
    Buffer.from('get-mark :1\n'),
  ]);
  return await git(directory, ['fast-import', '--quiet', '--force'], input);
}

export async function findRef(directory: string, ref: string): Promise<string | undefined> {
  const listed = await git(directory, ['for-each-ref', '--format=%(objectname)', '--count=1', ref]);
  return listed === '' ? undefined : listed;
}

export async function listRefs(directory: string): Promise<Map<string, string>> {
  const listed = await git(directory, ['for-each-ref', '--format=%(objectname) %(refname)', 'refs/heads', 'refs/tags']);
  const lines = listed.split('\n').filter((line) => line !== '');
  return new Map(lines.map((line) => [line.slice(41), line.slice(0, 40)]));
}

export async function setRef(directory: string, ref: string, sha: string): Promise<void> {
  await git(directory, ['update-ref', ref, sha]);
}

export async function deleteRef(directory: string, ref: string): Promise<void> {
  await git(directory, ['update-ref', '-d', ref]);
}

/** Full id of a branch, tag, full ref, or (abbreviated) commit id. */
export async function resolveCommit(directory: string, name: string): Promise<string | undefined> {
  if (name.startsWith('-') || name.includes(':') || name.includes('..')) return undefined;
  const short = name.replace(/^(heads|tags)\//, '');
  for (const candidate of [`refs/heads/${short}`, `refs/tags/${short}`, name]) {
    const found = await execa('git', ['-C', directory, 'rev-parse', '--verify', '--quiet', `${candidate}^{commit}`], {
      env: ENVIRONMENT,
      reject: false,
    });
    if (found.exitCode === 0) return found.stdout;
  }
  return undefined;
}

export async function copyObjects(from: string, to: string, sha: string, ref: string): Promise<void> {
  await git(to, ['fetch', '--quiet', '--no-tags', from, `+${sha}:${ref}`]);
}

export async function mergeBase(directory: string, a: string, b: string): Promise<string | undefined> {
  const found = await execa('git', ['-C', directory, 'merge-base', a, b], { env: ENVIRONMENT, reject: false });
  return found.exitCode === 0 ? found.stdout : undefined;
}

export async function isAncestor(directory: string, ancestor: string, of: string): Promise<boolean> {
  return (await mergeBase(directory, ancestor, of)) === ancestor;
}

/** The tree of both merged, or undefined when they conflict. */
export async function mergeTree(directory: string, base: string, head: string): Promise<string | undefined> {
  const merged = await execa(
    'git',
    ['-C', directory, 'merge-tree', '--write-tree', '--allow-unrelated-histories', base, head],
    {
      env: ENVIRONMENT,
      reject: false,
    },
  );
  return merged.exitCode === 0 ? merged.stdout.slice(0, 40) : undefined;
}

export async function commitTree(
  directory: string,
  order: { tree: string; parents: readonly string[]; message: string; author: Identity },
): Promise<string> {
  const { name, email } = order.author;
  const { stdout } = await execa(
    'git',
    [
      '-C',
      directory,
      'commit-tree',
      order.tree,
      ...order.parents.flatMap((parent) => ['-p', parent]),
      '-m',
      order.message,
    ],
    {
      env: {
        ...ENVIRONMENT,
        GIT_AUTHOR_NAME: name,
        GIT_AUTHOR_EMAIL: email,
        GIT_COMMITTER_NAME: name,
        GIT_COMMITTER_EMAIL: email,
      },
    },
  );
  return stdout;
}

export async function listCommits(directory: string, range: string, limit: number): Promise<Commit[]> {
  const out = await git(directory, ['log', `--max-count=${limit}`, `--format=${FIELDS}%x1e`, range, '--']);
  return out
    .split('\x1e')
    .map((block) => block.replace(/^\n/, ''))
    .filter((block) => block !== '')
    .map(parseCommit);
}

function parseCommit(block: string): Commit {
  const [sha = '', tree = '', parents = '', name = '', email = '', date = '', message = ''] = block.split('\0');
  const author = { name, email };
  return { sha, tree, parents: parents === '' ? [] : parents.split(' '), author, date, message: message.trimEnd() };
}

const STATUS = { A: 'added', D: 'removed', R: 'renamed', T: 'changed' } as const;

function statusOf(letter: string): ChangedFile['status'] {
  return letter in STATUS ? STATUS[letter as keyof typeof STATUS] : 'modified';
}

/** What `head` changes since it left `base` (three dots), in path order. */
export async function diffFiles(directory: string, base: string, head: string): Promise<ChangedFile[]> {
  const from =
    (await mergeBase(directory, base, head)) ?? (await git(directory, ['hash-object', '-t', 'tree', '/dev/null']));
  const raw = (await git(directory, ['diff-tree', '-r', '-z', '-M', '--raw', from, head])).split('\0');
  const counts = await countLines(directory, from, head);
  const files: ChangedFile[] = [];
  for (let at = 0; at + 1 < raw.length; ) {
    const [, , , blob = '', letters = ''] = (raw[at] ?? '').split(' ');
    const renamed = letters.startsWith('R');
    const path = raw[at + (renamed ? 2 : 1)] ?? '';
    const { additions, deletions } = counts.get(path) ?? { additions: 0, deletions: 0 };
    const previousPath = renamed ? raw[at + 1] : undefined;
    files.push({ status: statusOf(letters.charAt(0)), path, previousPath, additions, deletions, blob });
    at += renamed ? 3 : 2;
  }
  return files;
}

async function countLines(directory: string, from: string, head: string) {
  const parts = (await git(directory, ['diff-tree', '-r', '-z', '-M', '--numstat', from, head])).split('\0');
  const counts = new Map<string, { additions: number; deletions: number }>();
  for (let at = 0; at < parts.length; at += 1) {
    const [added = '', deleted = '', path] = (parts[at] ?? '').split('\t');
    if (path === undefined) continue;
    const renamedTo = path === '' ? parts[at + 2] : undefined;
    if (renamedTo !== undefined) at += 2;
    counts.set(renamedTo ?? path, { additions: Number(added) || 0, deletions: Number(deleted) || 0 });
  }
  return counts;
}

/** The patch of one file, as the API shows it (without headers). */
export async function patchOf(
  directory: string,
  base: string,
  head: string,
  path: string,
): Promise<string | undefined> {
  const text = await git(directory, ['diff', `${base}...${head}`, '--', path]);
  const start = text.indexOf('\n@@');
  return start < 0 ? undefined : text.slice(start + 1);
}
