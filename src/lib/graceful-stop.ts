export interface Stoppable {
  /** Asks the program to end; false when there is no program to ask. */
  interrupt(): boolean;
  kill(): void;
}

/** A stop may come while the program is still being prepared: then it is killed as soon as there is one. */
export class LateStoppable implements Stoppable {
  #program: Stoppable | undefined;
  #killed = false;

  is(program: Stoppable): void {
    this.#program = program;
    if (this.#killed) program.kill();
  }

  interrupt(): boolean {
    return this.#program?.interrupt() ?? false;
  }

  kill(): void {
    this.#killed = true;
    this.#program?.kill();
  }
}

/**
 * Ends a program once, for the first reason given: asked first, killed when the grace has passed.
 * The reason that came first is the one people are told.
 */
export class GracefulStop<Reason extends string> {
  readonly #target: Stoppable;
  readonly #graceMs: number;
  #reason: Reason | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(target: Stoppable, graceMs: number) {
    this.#target = target;
    this.#graceMs = graceMs;
  }

  get reason(): Reason | undefined {
    return this.#reason;
  }

  request(reason: Reason): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    if (!this.#target.interrupt()) return this.#target.kill();
    this.#timer = setTimeout(() => this.#target.kill(), this.#graceMs);
  }

  /** Without grace: for what must not go on for one more moment. */
  force(reason: Reason): void {
    this.#reason ??= reason;
    this.#target.kill();
  }

  /** The program has ended: nothing is killed any more. */
  done(): void {
    clearTimeout(this.#timer);
  }
}
