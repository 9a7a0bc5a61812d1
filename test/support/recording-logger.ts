import type { Logger } from '../../src/ports/logger.ts';

export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: object;
}

/** A logger that keeps what was said. */
export function recordingLogger(): Logger & { readonly entries: LogEntry[] } {
  const entries: LogEntry[] = [];
  const at =
    (level: LogEntry['level'], inherited: object) =>
    (fields: object, message: string): void => {
      entries.push({ level, message, fields: { ...inherited, ...fields } });
    };
  const loggerWith = (inherited: object): Logger => ({
    debug: at('debug', inherited),
    info: at('info', inherited),
    warn: at('warn', inherited),
    error: at('error', inherited),
    child: (fields) => loggerWith({ ...inherited, ...fields }),
  });
  return { ...loggerWith({}), entries };
}
