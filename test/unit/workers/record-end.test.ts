import { describe, expect, test } from 'vitest';
import type { ClaimedRun, RunEnd } from '../../../src/ports/run-store.ts';
import { LeaseLostError, RecordUnavailableError } from '../../../src/ports/run-store.ts';
import type { WorkerContext } from '../../../workers/context.ts';
import { recordEnd } from '../../../workers/record-end.ts';
import { recordingLogger } from '../../support/recording-logger.ts';
import { APPLIED, failedRun, planned } from '../../support/record-stage.ts';

const RUN = { id: 'r', pullRequestId: 'p', lease: { runId: 'r', token: '1' } } as unknown as ClaimedRun;
const WAKEUPS = { runIds: ['next'], pullRequestIds: [], deliveries: [] };
const away = () => new RecordUnavailableError(new Error('Connection terminated unexpectedly'));

/** A record that answers so to one write after the other, and then takes everything. */
function recordThat(...failures: readonly Error[]) {
  const left = [...failures];
  const written: (RunEnd | 'handed_back')[] = [];
  const take = async (end: RunEnd | 'handed_back') => {
    const failure = left.shift();
    if (failure) throw failure;
    written.push(end);
    return WAKEUPS;
  };
  let found: Pick<RunEnd, 'state' | 'result'> | undefined;
  const onRecord = (end: typeof found) => {
    found = end;
  };
  const stop = new AbortController();
  const findRun = async () => found;
  const runs = { findRun, finish: (_lease: unknown, end: RunEnd) => take(end), handBack: () => take('handed_back') };
  const context = { runs, logger: recordingLogger(), stop: { atOnce: stop.signal } };
  return { context: context as unknown as WorkerContext, written, left, stop, onRecord, log: context.logger.entries };
}

describe('the end of a run', () => {
  test.each(['handed_back', planned()] as const)('is kept in hand while the database is away', async (end) => {
    const record = recordThat(away());
    expect(await recordEnd(record.context, RUN, { end })).toEqual(WAKEUPS);
    expect(record.written).toEqual([end]);
    expect(record.log.map(({ level }) => level)).toEqual(['warn']);
  });

  test('is given up when the program must end at once', async () => {
    const record = recordThat(away(), away());
    record.stop.abort();
    await expect(recordEnd(record.context, RUN, { end: planned() })).rejects.toBeInstanceOf(RecordUnavailableError);
    expect(record.left).toHaveLength(1);
  });

  test('is dropped when the run was taken away', async () => {
    const record = recordThat(new LeaseLostError('r'));
    await expect(recordEnd(record.context, RUN, { end: planned() })).rejects.toBeInstanceOf(LeaseLostError);
    expect(record.written).toEqual([]);
  });

  test('may be on record already when the connection broke as it was committed', async () => {
    const record = recordThat(away(), new LeaseLostError('r'));
    record.onRecord({ ...APPLIED, result: JSON.parse(JSON.stringify(APPLIED.result)) });
    expect(await recordEnd(record.context, RUN, { end: APPLIED })).toEqual({
      ...WAKEUPS,
      runIds: [],
      pullRequestIds: ['p'],
    });
  });

  test.each([failedRun(true), undefined])('is dropped when another is on record by then', async (other) => {
    const record = recordThat(away(), new LeaseLostError('r'));
    record.onRecord(other);
    await expect(recordEnd(record.context, RUN, { end: failedRun() })).rejects.toBeInstanceOf(LeaseLostError);
  });

  test.each([
    ['a plan', planned(), 'failed'],
    ['an apply that was done', APPLIED, 'interrupted'],
    ['an apply that had begun', failedRun(true), 'interrupted'],
    ['a failure', failedRun(), 'failed'],
  ])('that the database refuses is said at once, and %s does not stay open', async (_what, end, state) => {
    const refused = new Error('invalid byte sequence for encoding "UTF8": 0x00');
    const record = recordThat(refused);
    expect(await recordEnd(record.context, RUN, { end })).toEqual(WAKEUPS);
    const { apply } = end;
    const result = expect.objectContaining({ kind: state });
    expect(record.written).toEqual([{ state, result, phases: [], ...(apply && { apply }) }]);
    expect(JSON.stringify(record.written)).toContain('refused its result');
    expect(record.log).toMatchObject([{ level: 'error', fields: { error: refused } }]);
  });

  const STATE = [{ name: 'errored.tfstate', content: Buffer.from('sealed') }];
  test('that the database refuses keeps the state that is nowhere else', async () => {
    const record = recordThat(new Error('refused'));
    await recordEnd(record.context, RUN, { end: { ...failedRun(true), artifacts: STATE } });
    expect(record.written).toMatchObject([{ state: 'interrupted', artifacts: STATE }]);
    expect(JSON.stringify(record.written)).toContain("is kept as this run's errored.tfstate");
  });

  test('whose state is refused, too, says that the state is lost', async () => {
    const record = recordThat(new Error('refused'), new Error('refused'));
    await recordEnd(record.context, RUN, { end: { ...APPLIED, artifacts: STATE } });
    expect(record.written).toEqual([
      { state: 'interrupted', result: expect.objectContaining({ kind: 'interrupted' }), phases: [] },
    ]);
    expect(JSON.stringify(record.written)).toContain('(errored.tfstate) is lost');
  });

  test('that is refused twice is an error, not a wait', async () => {
    const refused = new Error('violates check constraint');
    const record = recordThat(refused, refused);
    await expect(recordEnd(record.context, RUN, { end: planned() })).rejects.toBe(refused);
  });
});
