import { mkdir } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { execa } from 'execa';

export interface RepositorySize {
  readonly files: number;
  readonly commits: number;
}

const FILES_PER_FOLDER = 40;
const LINES_PER_FILE = 20;
const CHANGED_PER_COMMIT = 5;

/** A bare repository whose first commit has all files and each later one changes a few; the same every time. */
export async function makeLargeRepository(gitDir: string, size: RepositorySize): Promise<void> {
  await mkdir(gitDir, { recursive: true });
  await execa('git', ['init', '--quiet', '--bare', '--initial-branch=main', gitDir]);
  const git = execa('git', [`--git-dir=${gitDir}`, 'fast-import', '--quiet', '--depth=10'], {
    input: Readable.from(history(size)),
  });
  await git;
  await execa('git', [`--git-dir=${gitDir}`, 'repack', '-a', '-d', '-q']);
}

function* history({ files, commits }: RepositorySize): Generator<string> {
  for (let commit = 0; commit < commits; commit += 1) {
    const message = `Commit ${commit}`;
    const who = `committer Ann <ann@example.com> ${1_700_000_000 + commit} +0000`;
    yield `commit refs/heads/main\n${who}\ndata ${message.length}\n${message}\n`;
    const count = commit === 0 ? files : CHANGED_PER_COMMIT;
    for (let at = 0; at < count; at += 1) {
      const file = commit === 0 ? at : (commit * 7919 + at * 104_729) % files;
      const text = content(file, commit);
      yield `M 100644 inline ${path(file)}\ndata ${text.length}\n${text}\n`;
    }
  }
}

function path(file: number): string {
  return `folder-${Math.floor(file / FILES_PER_FOLDER)}/file-${file % FILES_PER_FOLDER}.tf`;
}

function content(file: number, commit: number): string {
  const lines = Array.from({ length: LINES_PER_FILE }, (_, line) => `value_${line} = "${file}-${line * file}"`);
  return `${lines.join('\n')}\nversion = ${commit}\n`;
}
