import { describe, expect, test } from 'vitest';
import { HostRefusedError, HostUnavailableError } from '../../../src/core/host-error.ts';
import { RetryLaterError } from '../../../src/ports/job-queue.ts';
import { MirrorError } from '../../../src/ports/repository-mirror.ts';
import { patiently } from '../../../workers/patiently.ts';
import { recordingLogger } from '../../support/recording-logger.ts';

function stage(patienceMs = 60_000) {
  const stop = new AbortController();
  return { stop, patience: { logger: recordingLogger(), signal: stop.signal, now: () => new Date(), patienceMs } };
}

/** Fails once with this, then answers with the number of the attempt. */
const onceFailing = (error: Error) => async (attempt: number) => {
  if (attempt === 0) throw error;
  return attempt;
};

describe('a run that asks patiently', () => {
  test.each([
    ['the host was away', new HostUnavailableError('502', new Date())],
    ['the git server is behind the API', new RetryLaterError('cannot be fetched yet', new Date())],
  ])('asks again when %s', async (_name, error) => {
    await expect(patiently(stage().patience, onceFailing(error))).resolves.toBe(1);
  });

  test.each([
    ['the host said no', new HostRefusedError('no', { status: 403 })],
    ['the git server said no', new MirrorError('refused', 'no such repository')],
    ['something of ours broke', new Error('undefined is not a function')],
  ])('does not when %s', async (_name, error) => {
    await expect(patiently(stage().patience, onceFailing(error))).rejects.toBe(error);
  });

  test.each(['unavailable', 'missing', 'damaged'] as const)('waits a moment for a mirror that is %s', async (kind) => {
    const { patience, stop } = stage();
    const error = new MirrorError(kind, 'not now');
    const asked = patiently(patience, onceFailing(error));
    setTimeout(() => stop.abort(), 50);
    await expect(asked).rejects.toBe(error);
    expect(patience.logger.entries.map(({ message }) => message)).toEqual([
      'what this run has to ask is away for the moment; it waits',
    ]);
  });

  test('does not keep its place when it would have to wait for long', async () => {
    const error = new HostUnavailableError('rate limit', new Date(Date.now() + 120_000));
    await expect(patiently(stage().patience, onceFailing(error))).rejects.toBe(error);
  });
});
