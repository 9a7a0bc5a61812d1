import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { commitSha, type CommitSha, type RepositoryRef } from '../../src/core/repository.ts';
import type { GitSource } from '../../src/ports/vcs-host.ts';

export const REPOSITORY: RepositoryRef = { host: 'git.test', id: '42', owner: 'acme', name: 'infra' };

/** What a tree is to hold: text, a symlink, a raw object, or a submodule's commit. */
export type Content =
  | string
  | { readonly text: string; readonly executable?: boolean }
  | { readonly link: string }
  | { readonly submodule: string };

/** A bare repository on disk that commits are made in without a checkout, so that trees may say what no `git add` would. */
export class GitFixture implements AsyncDisposable {
  readonly folder: string;
  readonly gitDir: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.gitDir = join(folder, 'source.git');
  }

  static async create(): Promise<GitFixture> {
    const fixture = new GitFixture(await mkdtemp(join(tmpdir(), 'holdfast-git-')));
    await fixture.git(['init', '-q', '--bare', '--initial-branch=main', fixture.gitDir]);
    await fixture.git(['config', 'uploadpack.allowAnySHA1InWant', 'false']);
    return fixture;
  }

  get source(): GitSource {
    return { url: `file://${this.gitDir}`, username: undefined, password: undefined };
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  async emptyFolder(name: string): Promise<string> {
    const path = this.path(name);
    await rm(path, { recursive: true, force: true });
    await mkdir(path, { recursive: true });
    return path;
  }

  async git(args: readonly string[], input?: string | Buffer, env: Record<string, string> = {}): Promise<string> {
    const result = await execa('git', args, {
      cwd: this.folder,
      env: {
        GIT_DIR: this.gitDir,
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_AUTHOR_NAME: 'Ada',
        GIT_AUTHOR_EMAIL: 'ada@acme.test',
        GIT_COMMITTER_NAME: 'Ada',
        GIT_COMMITTER_EMAIL: 'ada@acme.test',
        GIT_AUTHOR_DATE: '1700000000 +0000',
        GIT_COMMITTER_DATE: '1700000000 +0000',
        ...env,
      },
      ...(input === undefined ? {} : { input }),
    });
    return result.stdout;
  }

  async blob(text: string | Buffer): Promise<string> {
    return (await this.git(['hash-object', '-w', '--stdin'], text)).trim();
  }

  /** A whole tree from paths; `from` keeps the files of an earlier commit that are not named (undefined removes). */
  async commit(
    ref: string,
    files: Readonly<Record<string, Content | undefined>>,
    parents: readonly string[] = [],
    from: string | undefined = parents[0],
  ): Promise<CommitSha> {
    const env = { GIT_INDEX_FILE: this.path(`index-${Math.random().toString(36).slice(2)}`) };
    if (from !== undefined) await this.git(['read-tree', from], undefined, env);
    const lines: string[] = [];
    for (const [path, content] of Object.entries(files)) lines.push(await this.#indexLine(path, content));
    await this.git(['update-index', '-z', '--index-info'], lines.join(''), env);
    const tree = (await this.git(['write-tree'], undefined, env)).trim();
    return this.commitTree(ref, tree, parents);
  }

  async commitTree(ref: string, tree: string, parents: readonly string[] = []): Promise<CommitSha> {
    const args = parents.flatMap((parent) => ['-p', parent]);
    const sha = (await this.git(['commit-tree', ...args, '-m', `commit on ${ref}`, tree])).trim();
    await this.git(['update-ref', ref, sha]);
    return commitSha(sha);
  }

  /** A tree object written byte by byte: names may be anything but NUL. */
  async rawTree(entries: readonly (readonly [mode: string, name: string | Buffer, oid: string])[]): Promise<string> {
    const parts = entries.map(([mode, name, oid]) =>
      Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name as Buffer), Buffer.from([0]), Buffer.from(oid, 'hex')]),
    );
    const args = ['hash-object', '-w', '--literally', '-t', 'tree', '--stdin'];
    return (await this.git(args, Buffer.concat(parts))).trim();
  }

  async write(path: string, text: string, mode = 0o644): Promise<string> {
    const full = this.path(path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, text, { mode });
    return full;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  async #indexLine(path: string, content: Content | undefined): Promise<string> {
    if (content === undefined) return `0 ${'0'.repeat(40)}\t${path}\0`;
    if (typeof content === 'string') return `100644 ${await this.blob(content)}\t${path}\0`;
    if ('link' in content) return `120000 ${await this.blob(content.link)}\t${path}\0`;
    if ('submodule' in content) return `160000 ${content.submodule}\t${path}\0`;
    return `${content.executable ? '100755' : '100644'} ${await this.blob(content.text)}\t${path}\0`;
  }
}
