import { MirrorError } from '../../ports/repository-mirror.ts';
import type { ReadMirror } from './read-mirror.ts';

interface Blob {
  readonly oid: string;
  readonly size: number;
}

/** Bytes asked for at once; a single larger file is a question of its own. */
const BATCH_BYTES = 32 * 1024 * 1024;

/** Contents by object id, through as few `cat-file --batch` as the sizes allow. */
export async function readBlobs(read: ReadMirror, blobs: readonly Blob[]): Promise<ReadonlyMap<string, Buffer>> {
  const contents = new Map<string, Buffer>();
  for (const batch of inBatches(new Map(blobs.map((blob) => [blob.oid, blob])))) {
    const result = await read('reading files', {
      args: ['cat-file', '--batch', '--buffer'],
      input: batch.map((blob) => `${blob.oid}\n`).join(''),
      maxOutputBytes: batch.reduce((sum, blob) => sum + blob.size + 200, 1024),
    });
    splitBatch(result.stdout, contents);
  }
  return contents;
}

function* inBatches(blobs: ReadonlyMap<string, Blob>): Generator<readonly Blob[]> {
  let batch: Blob[] = [];
  let bytes = 0;
  for (const blob of blobs.values()) {
    if (batch.length > 0 && bytes + blob.size > BATCH_BYTES) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(blob);
    bytes += blob.size;
  }
  if (batch.length > 0) yield batch;
}

/** `OID blob SIZE\n`, SIZE bytes, `\n`; https://git-scm.com/docs/git-cat-file#_batch_output */
function splitBatch(output: Buffer, into: Map<string, Buffer>): void {
  for (let at = 0; at < output.length; ) {
    const lineEnd = output.indexOf(0x0a, at);
    const [oid = '', type = '', size = ''] = output.toString('latin1', at, lineEnd).split(' ');
    if (type !== 'blob') throw new MirrorError('damaged', `the mirror has lost the object ${oid}`);
    const start = lineEnd + 1;
    const end = start + Number(size);
    into.set(oid, output.subarray(start, end));
    at = end + 1;
  }
}
