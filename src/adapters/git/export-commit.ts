import { readdir, rm } from 'node:fs/promises';
import type { CommitSha } from '../../core/repository.ts';
import { MirrorError, type ExportReport } from '../../ports/repository-mirror.ts';
import type { MirrorFolder } from './mirror-folder.ts';
import { forgetPrepared, prepareExport, type Outline } from './prepare-export.ts';
import type { ReadMirror } from './read-mirror.ts';

export interface ExportLimits {
  /** Bytes of all files together. A few kilobytes of packed deltas can unfold into terabytes. */
  readonly bytes: number;
  readonly files: number;
}

/**
 * Writes a commit's files by git's own `checkout-index`, which is quicker than writing them from here, from an index that
 * holds only what `selectEntries` let pass. It would honour attributes; the mirror's `info/attributes` undoes them all.
 */
export async function exportCommit(
  read: ReadMirror,
  folder: MirrorFolder,
  sha: CommitSha,
  into: string,
  limits: ExportLimits,
): Promise<ExportReport> {
  if ((await readdir(into)).length > 0) throw new TypeError(`the folder to export into is not empty: ${into}`);
  const { indexPath, outline } = await prepareExport(read, folder, sha);
  try {
    checkLimits(outline, limits);
    if (outline.files > 0) {
      await read('writing the files of a commit', {
        args: ['checkout-index', '--all', '--quiet'],
        env: { GIT_INDEX_FILE: indexPath, GIT_WORK_TREE: into },
      });
    }
  } catch (error) {
    await forgetPrepared(folder, sha);
    throw error;
  } finally {
    await rm(indexPath, { force: true });
  }
  return { files: outline.files, refused: outline.refused, notes: outline.notes };
}

function checkLimits(outline: Outline, limits: ExportLimits): void {
  if (outline.files > limits.files) {
    throw new MirrorError('refused', `the commit has ${outline.files} files; at most ${limits.files} are written`);
  }
  if (outline.bytes > limits.bytes) {
    throw new MirrorError(
      'refused',
      `the commit's files have ${outline.bytes} bytes; at most ${limits.bytes} are written`,
    );
  }
}
