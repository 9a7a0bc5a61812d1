import { describe, expect, test } from 'vitest';
import { GracefulStop } from '../../../src/lib/graceful-stop.ts';
import { RunningCommands } from '../../../src/lib/running-commands.ts';

function command() {
  const { promise: done, resolve: end } = Promise.withResolvers<string>();
  const stop = new GracefulStop<'signal'>({ interrupt: () => true, kill: () => end('killed') }, 1_000);
  return { stop, done, end };
}

describe('the commands of one slot', () => {
  test.each([
    [true, true, true],
    [true, false, false],
    [false, true, false],
    [false, false, false],
  ])('beside one that is read-only (%s), one that is read-only (%s) may run: %s', async (first, second, may) => {
    const running = new RunningCommands<'signal'>();
    const one = command();
    const tracked = running.track(first, one);
    if (may) expect(() => running.check(second)).not.toThrow();
    else expect(() => running.check(second)).toThrow(/one after the other/);
    one.end('over');
    expect(await tracked).toBe('over');
    expect(() => running.check(second)).not.toThrow();
  });

  test('a stop kills all of them and waits until they have ended', async () => {
    const running = new RunningCommands<'signal'>();
    const ends = [running.track(true, command()), running.track(true, command())];
    await running.stopAll('signal');
    expect(await Promise.all(ends)).toEqual(['killed', 'killed']);
  });

  test('one that fails is over as well', async () => {
    const running = new RunningCommands<'signal'>();
    const failing = running.track(false, { stop: command().stop, done: Promise.reject(new Error('no sandbox')) });
    await expect(failing).rejects.toThrow('no sandbox');
    expect(() => running.check(false)).not.toThrow();
  });
});
