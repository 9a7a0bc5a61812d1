import type { GracefulStop } from './graceful-stop.ts';

interface Running<Reason extends string> {
  readonly readOnly: boolean;
  readonly stop: GracefulStop<Reason>;
  readonly done: Promise<unknown>;
}

/** The commands of one slot: one after the other, but such as can write nothing may run beside each other. */
export class RunningCommands<Reason extends string> {
  readonly #running = new Set<Running<Reason>>();

  /** @throws when a command of this kind may not start now. */
  check(readOnly: boolean): void {
    if (this.#running.size === 0 || (readOnly && [...this.#running].every((one) => one.readOnly))) return;
    throw new Error('The sandbox slot already runs a command: one after the other.');
  }

  track<T>(readOnly: boolean, { stop, done }: { stop: GracefulStop<Reason>; done: Promise<T> }): Promise<T> {
    const running = { readOnly, stop, done };
    this.#running.add(running);
    return done.finally(() => this.#running.delete(running));
  }

  /** Without grace; resolves when all have ended, however. */
  async stopAll(reason: Reason): Promise<void> {
    const all = [...this.#running];
    for (const { stop } of all) stop.force(reason);
    await Promise.allSettled(all.map(({ done }) => done));
  }
}
