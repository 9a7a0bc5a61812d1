import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const START_MS = 60_000;
const STOP_MS = 60_000;

/** Holdfast as its operators start it: a process of its own, told by environment alone. */
export interface HoldfastProcess extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** What it has logged so far. */
  log(): string;
  /** SIGKILL to it alone, as the kernel would when memory is short. */
  kill(): Promise<void>;
  /** SIGTERM, and its exit code. */
  stop(): Promise<number | null>;
}

/** Starts it and waits until it is ready; an early end is an error with what it said. */
export async function startHoldfast(
  environment: Readonly<Record<string, string>>,
  command: readonly string[] = ['serve'],
): Promise<HoldfastProcess> {
  const { PATH = '', HOME = '/' } = process.env;
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4', join(ROOT, 'src/cli.ts'), ...command],
    {
      cwd: ROOT,
      env: { PATH, HOME, ...environment },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const url = await waitUntilReady(child, () => output);
  const ended = (): Promise<number | null> =>
    child.exitCode !== null || child.signalCode !== null
      ? Promise.resolve(child.exitCode)
      : new Promise((resolve) => child.once('exit', (code) => resolve(code)));
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    const code = await ended();
    clearTimeout(timer);
    return code;
  };
  return {
    url,
    pid: child.pid ?? 0,
    log: () => output,
    stop,
    kill: async () => {
      child.kill('SIGKILL');
      await ended();
    },
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

async function waitUntilReady(child: ChildProcess, output: () => string): Promise<string> {
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline) {
    const line = output()
      .split('\n')
      .find((text) => text.includes('"holdfast is ready"'));
    if (line !== undefined) return (JSON.parse(line) as { url?: string }).url ?? '';
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`Holdfast did not start:\n${output()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill('SIGKILL');
  throw new Error(`Holdfast was not ready after ${START_MS} ms:\n${output()}`);
}
