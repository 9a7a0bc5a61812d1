import { describe, expect, test } from 'vitest';
import { HostRefusedError, HostUnavailableError } from '../../../src/core/host-error.ts';
import { RetryLaterError } from '../../../src/ports/job-queue.ts';
import { MirrorError } from '../../../src/ports/repository-mirror.ts';
import { eventJob } from '../../../workers/event-job.ts';
import { ProjectRefusedError } from '../../../workers/project-refused-error.ts';
import type { RunContext } from '../../../workers/run-context.ts';
import { UnansweredCommandError } from '../../../workers/unanswered-command-error.ts';
import { recordingLogger } from '../../support/recording-logger.ts';

/** A delivery whose handling ends so. Answers what was written down about it. */
async function handleWith(error: Error, attempt = 1, receivedAt = '2026-11-21T11:59:00Z') {
  const marks: string[] = [];
  const interpret = () => Promise.reject(error);
  const context = {
    logger: recordingLogger(),
    now: () => new Date('2026-11-21T12:00:00Z'),
    hosts: new Map([['github.com', { host: 'github.com', interpret }]]),
    deliveries: {
      find: async () => ({
        host: 'github.com',
        id: '1',
        event: 'push',
        payload: '{}',
        state: 'received',
        receivedAt: new Date(receivedAt),
      }),
      markHandled: async () => void marks.push('handled'),
      markFailed: async (_host: string, _id: string, _error: string, final: boolean) =>
        void marks.push(final ? 'given up' : 'failed once'),
    },
  };
  const thrown = await eventJob(context as unknown as RunContext, 'github.com', '1', attempt).catch(
    (reason: unknown) => reason,
  );
  return { marks, thrown };
}

describe('a delivery', () => {
  test.each([
    ['VCS host', new HostUnavailableError('502', new Date('2026-11-21T12:01:00Z')), '2026-11-21T12:01:00Z'],
    ['credential', new HostRefusedError('Bad credentials', { status: 401 }), '2026-11-21T12:01:00Z'],
    ['permission', new HostRefusedError('not accessible', { status: 403 }), '2026-11-21T12:01:00Z'],
    ['git server', new MirrorError('unavailable', 'no route to host'), '2026-11-21T12:00:15Z'],
  ])('waits for a %s that is away, however often it was tried', async (_name, error, retryAt) => {
    const { marks, thrown } = await handleWith(error, 100);
    expect(marks).toEqual([]);
    expect(thrown).toBeInstanceOf(RetryLaterError);
    expect(thrown).toMatchObject({ retryAt: new Date(retryAt) });
  });

  test('is tried a few times when something of ours broke, then kept as failed', async () => {
    const broken = new MirrorError('damaged', 'bad object');
    expect(await handleWith(broken, 1)).toEqual({ marks: ['failed once'], thrown: broken });
    expect(await handleWith(broken, 5)).toEqual({ marks: ['given up'], thrown: undefined });
  });

  test('waits for access for a day and no longer', async () => {
    const locked = new HostRefusedError('Bad credentials', { status: 401 });
    expect((await handleWith(locked, 1, '2026-11-20T11:00:00Z')).marks).toEqual(['given up']);
  });

  test('of a command that was not answered is answered when it is given up, and not before', async () => {
    const told: string[] = [];
    const unanswered = (cause: Error) => new UnansweredCommandError(cause, async () => void told.push('told'));
    const broken = new MirrorError('damaged', 'bad object');
    expect(await handleWith(unanswered(broken), 1)).toEqual({ marks: ['failed once'], thrown: broken });
    const away = new HostUnavailableError('502', new Date('2026-11-21T12:01:00Z'));
    expect((await handleWith(unanswered(away), 100)).thrown).toBeInstanceOf(RetryLaterError);
    expect(told).toEqual([]);
    expect((await handleWith(unanswered(broken), 5)).marks).toEqual(['given up']);
    expect((await handleWith(unanswered(new ProjectRefusedError('no such branch')))).marks).toEqual(['given up']);
    expect(told).toEqual(['told', 'told']);
  });

  test('is given up at once when the host says no', async () => {
    const { marks } = await handleWith(new HostRefusedError('not found', { status: 404 }));
    expect(marks).toEqual(['given up']);
  });
});
