const MAX_CAUSES = 5;

export interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly code: string | undefined;
  readonly stack: string | undefined;
  readonly cause: LoggedError | undefined;
}

/**
 * What is logged of an error. Its other properties are left out: clients hang requests with headers, whole payloads and the
 * output of programs on their errors.
 */
export function toLoggedError(error: unknown, depth = 0): LoggedError | undefined {
  if (error === undefined || depth > MAX_CAUSES) return undefined;
  if (!(error instanceof Error))
    return { type: typeof error, message: String(error), code: undefined, stack: undefined, cause: undefined };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return {
    type: error.name,
    message: error.message,
    code,
    stack: error.stack?.split('\n').slice(1, 12).join('\n'),
    cause: toLoggedError(error.cause, depth + 1),
  };
}
