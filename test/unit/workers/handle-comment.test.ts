import { expect, test } from 'vitest';
import type { VcsHost } from '../../../src/ports/vcs-host.ts';
import { handleComment } from '../../../workers/handle-comment.ts';
import type { RunContext } from '../../../workers/run-context.ts';
import { buildAccount } from '../../support/builders.ts';
import { recordingLogger } from '../../support/recording-logger.ts';

/** Whether a comment of that age was looked into when it was delivered. */
async function isRead(writtenAt: Date | undefined): Promise<boolean> {
  let asked = false;
  const host = {
    host: 'github.com',
    whoAmI: async () => {
      asked = true;
      return buildAccount('holdfast-bot');
    },
  } as unknown as VcsHost;
  const context = {
    config: { repositories: ['github.com/acme/*'], triggers: ['holdfast'] },
    logger: recordingLogger(),
  } as unknown as RunContext;
  const event = {
    kind: 'comment',
    repositoryId: '42',
    repositoryFullName: 'acme/infra',
    number: 7,
    commentId: '1',
    commentNodeId: 'N1',
    body: 'nothing that concerns us',
    author: buildAccount(),
    own: false,
  } as const;
  await handleComment(context, host, { ...event, writtenAt }, new Date('2026-11-21T12:00:00Z'));
  return asked;
}

test('a comment counts for as long as its delivery can be late, and not when somebody sends it long after', async () => {
  expect(await isRead(new Date('2026-11-21T11:59:00Z'))).toBe(true);
  expect(await isRead(new Date('2026-11-13T12:00:00Z'))).toBe(true);
  expect(await isRead(undefined)).toBe(true);
  expect(await isRead(new Date('2026-11-12T11:59:00Z'))).toBe(false);
});
