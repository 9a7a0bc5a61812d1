import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NetworkMode, SlotLimits } from '../../src/ports/sandbox.ts';
import { resultOf, type RunnerOutcome, type Stage, setStage, type StartedAs } from './sandbox-stage.ts';

export const MIB = 1024 * 1024;
/** The variable of the server that no run may see. */
export const CANARY = 'HOLDFAST_CANARY';
const VICTIM_SECONDS = 60;
const SURVIVOR_PATIENCE_MS = 6_000;

/** What a pull request tries: a program of its checkout, and how one sees that it worked. */
export interface Attack {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly network?: NetworkMode;
  readonly limits?: Partial<SlotLimits>;
  readonly outputBytes?: number;
  readonly deniedAddresses?: readonly string[];
  /** Shown to the run for reading. */
  readonly readable?: readonly string[];
  /** Whether it worked; unless told, whether the program says so. */
  readonly breached?: (outcome: AttackOutcome) => Promise<boolean>;
}

export interface AttackOutcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly stoppedBy: string | undefined;
  readonly outputTruncated: boolean;
  readonly peakBytes: number;
  readonly breached: boolean;
}

/** A process of the server beside the run, whose output somebody takes for a result. */
export interface Victim {
  readonly pid: number;
  readonly word: readonly [string, string];
  output(): Promise<string>;
  isAlive(): boolean;
  /** Whether a line about a left process is about one of its own. */
  has(entry: string): boolean;
  stop(): void;
}

export interface AttackGround {
  readonly stage: Stage;
  readonly checkout: string;
  /** The data directory: other checkouts, plans, the mirror. By name. */
  readonly data: string;
  file(name: string): string;
  write(name: string, text: string, mode?: number): Promise<string>;
  victim(): Promise<Victim>;
  attempt(adapter: 'bubblewrap' | 'none', attack: Attack, prefix?: readonly string[]): Promise<AttackOutcome>;
  /** What still runs, the victims left out; what the unsandboxed attack left is given the time to end by itself. */
  leftovers(patient: boolean): Promise<string[]>;
  close(): Promise<void>;
}

export async function prepareGround(startedAs: StartedAs): Promise<AttackGround> {
  const stage = await setStage(startedAs);
  const data = join(stage.directory, 'data');
  const checkout = join(stage.directory, 'checkout');
  const victims: Victim[] = [];
  await mkdir(data, { mode: 0o755 });
  await stage.give(data);

  const freshCheckout = async () => {
    await rm(checkout, { recursive: true, force: true });
    await cp(new URL('../attack/programs', import.meta.url).pathname, checkout, { recursive: true });
    for (const path of [checkout, ...(await readdir(checkout)).map((name) => join(checkout, name))])
      await stage.give(path);
  };

  return {
    stage,
    checkout,
    data,
    file: (name) => join(data, name),
    write: async (name, text, mode = 0o600) => {
      const path = join(data, name);
      const folder = join(path, '..');
      if (folder !== data) await mkdir(folder, { recursive: true, mode: 0o755 });
      await stage.give(folder);
      await writeFile(path, text, { mode });
      await stage.give(path);
      return path;
    },
    victim: async () => {
      const victim = await startVictim(stage, join(stage.directory, `victim-${victims.length}`));
      victims.push(victim);
      return victim;
    },
    attempt: async (adapter, attack, prefix) => {
      await freshCheckout();
      const options = { env: { [CANARY]: 'secret of the server' }, ...(prefix ? { prefix } : {}) };
      const outcome = await stage.play(scenario(adapter, attack, stage, checkout), options);
      return judged(attack, outcome);
    },
    leftovers: async (patient) => {
      const deadline = Date.now() + (patient ? SURVIVOR_PATIENCE_MS : 0);
      for (;;) {
        const left = (await stage.leftovers()).filter((entry) => !victims.some((victim) => victim.has(entry)));
        if (left.length === 0 || Date.now() > deadline) return left;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    close: async () => {
      for (const victim of victims) victim.stop();
      await stage.remove();
    },
  };
}

function scenario(
  adapter: 'bubblewrap' | 'none',
  attack: Attack,
  stage: Stage,
  checkout: string,
): Parameters<Stage['play']>[0] {
  const path = join(checkout, attack.program);
  const interpreter = attack.program.endsWith('.sh') ? '/bin/sh' : stage.node;
  // A node of the system's is visible anyway.
  const node = stage.node.startsWith('/usr/') ? [] : [stage.node];
  const readable = [...node, ...(attack.readable ?? [])].map((source) => ({ source, mode: 'ro' as const }));
  const command = {
    argv: [interpreter, path, ...attack.arguments] as const,
    cwd: checkout,
    env: { PATH: '/usr/bin:/bin', HOME: checkout },
    mounts: [{ source: checkout, mode: 'rw' as const }, ...readable],
    network: attack.network ?? 'none',
    outputBytes: attack.outputBytes ?? MIB,
    timeoutMs: 30_000,
  };
  return {
    adapter,
    limits: { memoryBytes: 256 * MIB, processes: 100, diskBytes: 64 * MIB, ...attack.limits },
    deniedAddresses: attack.deniedAddresses ?? [],
    steps: [
      { do: 'own', directory: checkout },
      { do: 'run', command },
      { do: 'reclaim', directory: checkout },
    ],
  };
}

async function judged(attack: Attack, outcome: RunnerOutcome): Promise<AttackOutcome> {
  const result = resultOf(outcome, 1);
  const said = {
    stdout: result.stdout,
    stderr: result.stderr.slice(0, 2_000),
    stoppedBy: result.stoppedBy,
    outputTruncated: result.outputTruncated,
    peakBytes: outcome.peakBytes,
    breached: result.stdout.includes('BREACH'),
  };
  return attack.breached ? { ...said, breached: await attack.breached(said) } : said;
}

/** `perl` because Debian and Ubuntu always have it, and because its output must be a real pipe, which Node's are not. */
async function startVictim(stage: Stage, output: string): Promise<Victim> {
  const word = ['holdfast-', 'victim'] as const;
  const script = `perl -e '$| = 1; print "$$\\n"; sleep ${VICTIM_SECONDS}' ${word.join('')} | cat > "$OUTPUT"`;
  const [program = '', ...argv] = [...stage.drop, '/bin/sh', '-c', script];
  const shell: ChildProcess = spawn(program, argv, {
    env: { PATH: '/usr/bin:/bin', OUTPUT: output, [CANARY]: 'secret of a neighbour' },
    cwd: stage.directory,
    detached: true,
    stdio: 'ignore',
  });
  const read = () => readFile(output, 'utf8').catch(() => '');
  while (!(await read()).includes('\n')) await new Promise((resolve) => setTimeout(resolve, 20));
  const pid = Number.parseInt(await read(), 10);
  const ended = once(shell, 'exit');
  ended.catch(() => {});
  return {
    pid,
    word,
    output: read,
    has: (entry) => groupOf(/\d+/.exec(entry)?.[0] ?? '') === shell.pid,
    isAlive: () => shell.exitCode === null && shell.signalCode === null,
    stop: () => {
      if (shell.pid !== undefined && shell.exitCode === null) process.kill(-shell.pid, 'SIGKILL');
    },
  };
}

/** The process group of a process, which its children share: proc_pid_stat(5). */
function groupOf(pid: string): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[2]);
  } catch {
    return undefined;
  }
}
