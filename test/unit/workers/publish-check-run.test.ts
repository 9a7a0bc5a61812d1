import { describe, expect, test } from 'vitest';
import { commitSha } from '../../../src/core/repository.ts';
import { HEAD, OLD_HEAD } from '../../support/builders.ts';
import { publishOn } from '../../support/publish-stage.ts';

describe('the check run', () => {
  test('a check run that went on when a newer commit came is ended', async () => {
    const { checkRuns } = await publishOn({
      wanted: { checkRun: { id: '5', sha: OLD_HEAD, hash: 'in_progress:whatever' } },
    });
    expect(checkRuns).toMatchObject([
      { id: '5', headSha: OLD_HEAD, status: 'completed', conclusion: 'cancelled' },
      { id: undefined, headSha: HEAD, status: 'completed' },
    ]);
  });

  test('what is said to be superseded is told apart by its commit, so that a re-run of the next one is not taken for the same', async () => {
    const third = commitSha('3'.repeat(40));
    const namesOf = async (sha: string) => {
      const { checkRuns } = await publishOn({ wanted: { checkRun: { id: '5', sha, hash: 'in_progress:whatever' } } });
      return checkRuns.filter((run) => run.conclusion === 'cancelled').map((run) => run.externalId);
    };
    const names = [...(await namesOf(OLD_HEAD)), ...(await namesOf(third))];
    expect(new Set(names).size).toBe(2);
  });

  test('a check run that had ended when a newer commit came is left alone', async () => {
    const { checkRuns } = await publishOn({
      wanted: { checkRun: { id: '5', sha: OLD_HEAD, hash: 'completed:whatever' } },
    });
    expect(checkRuns.map((run) => run.id)).toEqual([undefined]);
  });

  test('a check run whose making was begun before a crash is looked for, and made when it is not there', async () => {
    const begun = { id: undefined, sha: HEAD, externalId: 'batch-0' };
    const { checkRuns, done } = await publishOn({
      wanted: { checkRun: begun },
      existing: { id: '9', headSha: HEAD, externalId: 'batch-0' },
    });
    expect(checkRuns).toMatchObject([{ id: '9', externalId: 'batch-1', status: 'completed' }]);
    expect(done).toContain('saved check run 9');
    const never = await publishOn({ wanted: { checkRun: begun } });
    expect(never.checkRuns.map((run) => run.id)).toEqual([undefined]);
  });

  test('a check run whose making was begun on a commit that was superseded since is ended', async () => {
    const { checkRuns } = await publishOn({
      wanted: { checkRun: { id: undefined, sha: OLD_HEAD, externalId: 'batch-0' } },
      existing: { id: '9', headSha: OLD_HEAD, externalId: 'batch-0' },
    });
    expect(checkRuns.map((run) => [run.id, run.conclusion])).toEqual([
      ['9', 'cancelled'],
      [undefined, 'failure'],
    ]);
  });

  test('a check run of an old commit that cannot be ended does not keep the new one from its own', async () => {
    const { checkRuns } = await publishOn({
      refuses: { 'check run 5': 403 },
      wanted: { checkRun: { id: '5', sha: OLD_HEAD, hash: 'in_progress:whatever' } },
    });
    expect(checkRuns.map((run) => run.id)).toEqual([undefined]);
  });
});
