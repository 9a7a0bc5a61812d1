/** Waits for SIGTERM, SIGINT or the death of the launcher. A second signal does not make it hasty: terraform may be saving its state. */
export function untilStopped(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => resolve(signal));
    if (process.channel === undefined || process.channel === null) return;
    process.on('disconnect', () => resolve('the launcher is gone'));
    process.channel.unref();
  });
}
