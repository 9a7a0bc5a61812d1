import { inspect } from 'node:util';

const REDACTED = '[redacted]';

/**
 * A value that cannot be printed by accident: string conversion, JSON, `console.log` and pino all show `[redacted]`.
 * `reveal()` is the only way to the value, so every use of a secret can be found by searching for it.
 */
export class Secret<T = string> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
