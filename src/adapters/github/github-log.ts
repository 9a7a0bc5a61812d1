/** Where the adapter tells what a person may want to know. It never tells a token, a payload or the body of a request. */
export interface GithubLog {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** Octokit's own chatter names every request and prints failures to the console by default; it goes to `debug` instead. */
export function octokitLog(log: GithubLog) {
  const tell = (message: unknown) => {
    if (typeof message === 'string') log.debug({ part: 'octokit' }, message);
  };
  return { debug: () => undefined, info: () => undefined, warn: tell, error: tell };
}
