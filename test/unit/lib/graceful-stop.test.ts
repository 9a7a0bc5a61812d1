import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { GracefulStop } from '../../../src/lib/graceful-stop.ts';

function target(canInterrupt = true) {
  const done: string[] = [];
  const interrupt = () => {
    done.push('interrupt');
    return canInterrupt;
  };
  return { done, interrupt, kill: () => void done.push('kill') };
}

describe('GracefulStop', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('asks, waits for the grace, then kills', () => {
    const program = target();
    const stop = new GracefulStop<'timeout'>(program, 1_000);
    stop.request('timeout');
    vi.advanceTimersByTime(999);
    expect(program.done).toEqual(['interrupt']);
    vi.advanceTimersByTime(1);
    expect(program.done).toEqual(['interrupt', 'kill']);
  });

  test('asks once and keeps the first reason', () => {
    const program = target();
    const stop = new GracefulStop<'timeout' | 'signal'>(program, 1_000);
    stop.request('signal');
    stop.request('timeout');
    expect(stop.reason).toBe('signal');
    expect(program.done).toEqual(['interrupt']);
  });

  test('kills at once when nobody can be asked, and when forced', () => {
    const mute = target(false);
    new GracefulStop<'timeout'>(mute, 1_000).request('timeout');
    expect(mute.done).toEqual(['interrupt', 'kill']);
    const forced = target();
    const stop = new GracefulStop<'timeout' | 'memory'>(forced, 1_000);
    stop.force('memory');
    expect(forced.done).toEqual(['kill']);
    expect(stop.reason).toBe('memory');
  });

  test('a program that ended is not killed after the grace', () => {
    const program = target();
    const stop = new GracefulStop<'timeout'>(program, 1_000);
    stop.request('timeout');
    stop.done();
    vi.advanceTimersByTime(5_000);
    expect(program.done).toEqual(['interrupt']);
  });
});
