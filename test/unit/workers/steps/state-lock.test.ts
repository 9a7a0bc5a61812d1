import { describe, expect, test } from 'vitest';
import { readStateLock } from '../../../../workers/steps/state-lock.ts';

const TAIL =
  '\n\nTerraform acquires a state lock to protect the state from being written\nby multiple users at the same time.';
const info = (who: string) =>
  `Lock Info:\n  ID:        info-id\n  Path:      x\n  Operation: OperationTypeApply\n  Who:       ${who}\n  Version:   1.11.4\n  Created:   2026-11-21 10:00:00.1 +0000 UTC\n  Info:      \n`;
const error = (detail: string, summary = 'Error acquiring the state lock') => [
  { severity: 'error' as const, summary, detail: detail + TAIL, address: undefined, location: undefined },
];

describe('readStateLock', () => {
  test('local: the block is the holder', () => {
    const lock = readStateLock(error(`Error message: resource temporarily unavailable\n${info('bob@ci')}`), 'local');
    expect(lock).toMatchObject({ holderId: 'info-id', holder: 'bob@ci', operation: 'apply' });
    expect(lock?.explanation).toContain('locked by bob@ci for an apply since 2026-11-21');
    expect(lock?.explanation).toContain('terraform force-unlock info-id');
  });

  test('s3 and kubernetes: the block is the holder', () => {
    const s3 =
      'Error message: operation error S3: PutObject, https response error StatusCode: 412, api error PreconditionFailed';
    expect(readStateLock(error(`${s3}\n${info('bob@ci')}`), 's3')?.holder).toBe('bob@ci');
    const kubernetes = 'Error message: the state is already locked by another terraform client';
    expect(readStateLock(error(`${kubernetes}\n${info('bob@ci')}`), 'kubernetes')?.holder).toBe('bob@ci');
  });

  test.each([
    ['http', 'Error message: HTTP remote state already locked: ID=real-id', 'real-id'],
    ['pg', 'Error message: Already locked for workspace creation: default', undefined],
    ['pg', 'Error message: Workspace is already locked: default', undefined],
    [undefined, 'Error message: HTTP remote state already locked: ID=real-id', 'real-id'],
  ])('%s: the block is ours, and nothing of it is repeated', (backend, message, id) => {
    const lock = readStateLock(error(`${message}\n${info('we@here')}`), backend);
    expect(lock).toMatchObject({ holderId: id, holder: undefined, operation: undefined, since: undefined });
    expect(JSON.stringify(lock)).not.toMatch(/we@here|info-id|2026-11-21/);
    expect(lock?.explanation).toContain('somebody else');
  });

  test('a lock that could not even be asked for is not a held one', () => {
    const lock = readStateLock(error('Error message: dial tcp 10.0.0.1:443: no route to host\n'), 's3');
    expect(lock?.explanation).toBe(
      'Terraform could not ask for the state lock: dial tcp 10.0.0.1:443: no route to host.',
    );
  });

  test('other errors are none of its business', () => {
    expect(readStateLock(error('x', 'Saved plan is stale'), 'http')).toBeUndefined();
    expect(readStateLock([], 'http')).toBeUndefined();
  });
});
