/** A command failed before anything was recorded of it. Whoever gives it up tells the person; `cause` says why it failed. */
export class UnansweredCommandError extends Error {
  /** Answers in place of what was asked for. */
  readonly tell: () => Promise<void>;

  constructor(cause: unknown, tell: () => Promise<void>) {
    super('a command could not be carried out', { cause });
    this.name = 'UnansweredCommandError';
    this.tell = tell;
  }
}
