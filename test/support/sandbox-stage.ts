import { chmod, chown, copyFile, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { build } from 'esbuild';
import { execa } from 'execa';
import { processesOfUid } from '../../src/adapters/bubblewrap/process-table.ts';
import type { SandboxResult } from '../../src/ports/sandbox.ts';
import { type SandboxScenario, type ScenarioOutcome } from './sandbox-scenario.ts';

/** As which user the program that makes sandboxes was started. */
export type StartedAs = 'root' | 'ordinary user';

/** Root plays both; an ordinary user only itself. */
export const STARTS: readonly StartedAs[] = process.getuid?.() === 0 ? ['root', 'ordinary user'] : ['ordinary user'];

export interface RunnerOutcome extends ScenarioOutcome {
  /** The most memory the program that read the output ever had. */
  readonly peakBytes: number;
}

export interface Stage {
  readonly startedAs: StartedAs;
  /** A folder of the started program's own, with nobody else's in it. Its path is in the command line of all that is started here. */
  readonly directory: string;
  readonly node: string;
  readonly slotsDirectory: string;
  readonly uid: number;
  /** What to put in front of a program to start it as that user. */
  readonly drop: readonly string[];
  /** Of this test's slots, when started as root. */
  readonly uidRange: SandboxScenario['uidRange'];
  /** Gives a folder or file to the user of the started program. */
  give(path: string): Promise<void>;
  play(scenario: Omit<SandboxScenario, 'slotsDirectory' | 'uidRange'>, options?: PlayOptions): Promise<RunnerOutcome>;
  /** Plays, and kills the player with SIGKILL as soon as `when` holds: what a server's sudden end looks like. */
  playUntilKilled(
    scenario: Omit<SandboxScenario, 'slotsDirectory' | 'uidRange'>,
    when: () => Promise<boolean>,
  ): Promise<void>;
  /** What still runs of this stage: processes of the slots' users or of the ordinary user, or with the folder's path in their command line. */
  leftovers(): Promise<string[]>;
  remove(): Promise<void>;
}

export interface PlayOptions {
  /** Put in front, to start in another network namespace. */
  readonly prefix?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const PLAY_PATIENCE_MS = 60_000;

/** An ordinary user of this test's own, so that what it leaves behind can be told from everything else. */
const ordinaryUid = () => 1_900_000_000 + (process.pid % 1_000_000);

const SLOT_UIDS = 32;

/** Another one in every process, because test files run side by side. */
const slotUids = () => ({ first: 1_910_000_000 + (process.pid % 1_000_000) * SLOT_UIDS, count: SLOT_UIDS });

export async function setStage(startedAs: StartedAs): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-sandbox-'));
  const isRoot = process.getuid?.() === 0;
  const drops = isRoot && startedAs === 'ordinary user';
  const uid = drops ? ordinaryUid() : (process.getuid?.() ?? 0);
  const give = async (path: string) => (drops ? chown(path, uid, uid) : undefined);
  await chmod(directory, 0o755);
  await give(directory);
  const uidRange = slotUids();
  const runner = await bundledRunner(directory);
  const node = await reachableNode(directory);
  const slotsDirectory = join(directory, 'slots');
  await mkdir(slotsDirectory);
  await give(slotsDirectory);
  const drop = drops ? ['/usr/bin/setpriv', '--reuid', `${uid}`, '--regid', `${uid}`, '--clear-groups', '--'] : [];

  const start = (scenario: Omit<SandboxScenario, 'slotsDirectory' | 'uidRange'>, options: PlayOptions) => {
    const [program = '', ...argv] = [...(options.prefix ?? []), ...drop, node, runner];
    const input = JSON.stringify({ ...scenario, slotsDirectory, uidRange } satisfies SandboxScenario);
    const env = { PATH: '/usr/bin:/bin', ...options.env };
    return execa(program, argv, {
      input,
      env,
      extendEnv: false,
      timeout: PLAY_PATIENCE_MS,
      maxBuffer: 300_000_000,
      cwd: '/',
    });
  };
  const play: Stage['play'] = async (scenario, options = {}) => {
    const { stdout } = await start(scenario, options);
    return JSON.parse(stdout) as RunnerOutcome;
  };
  const playUntilKilled: Stage['playUntilKilled'] = async (scenario, when) => {
    const player = start(scenario, {});
    const ended = player.catch(() => {});
    const deadline = Date.now() + PLAY_PATIENCE_MS;
    while (!(await when()) && Date.now() < deadline) await delay(20);
    player.kill('SIGKILL');
    await ended;
  };
  const leftovers = async () => {
    const uids = drops ? [uid] : Array.from({ length: SLOT_UIDS }, (_, index) => uidRange.first + index);
    const { stdout } = await execa('/usr/bin/pgrep', ['--full', '--list-full', directory], { reject: false });
    return [
      ...uids.flatMap((each) => processesOfUid(each).map((pid) => `pid ${pid} of user ${each}`)),
      ...stdout.split('\n').filter(Boolean),
    ];
  };
  const remove = () => rm(directory, { recursive: true, force: true });
  return {
    startedAs,
    directory,
    node,
    slotsDirectory,
    uid,
    drop,
    uidRange,
    give,
    play,
    playUntilKilled,
    leftovers,
    remove,
  };
}

/** One file that any user can read, wherever the sources lie. */
async function bundledRunner(directory: string): Promise<string> {
  const outfile = join(directory, 'runner.mjs');
  const entry = new URL('./sandbox-runner.ts', import.meta.url).pathname;
  const banner = { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" };
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    banner,
    logLevel: 'error',
  });
  return outfile;
}

/** Node itself may lie in a home folder that others cannot search. */
async function reachableNode(directory: string): Promise<string> {
  const folders: string[] = [];
  for (let folder = dirname(process.execPath); folder !== '/'; folder = dirname(folder)) folders.push(folder);
  const entries = await Promise.all(folders.map((folder) => stat(folder)));
  if (entries.every((entry) => (entry.mode & 0o001) !== 0)) return process.execPath;
  const copy = join(directory, 'node');
  await copyFile(process.execPath, copy);
  await chmod(copy, 0o755);
  return copy;
}

/** The result of the scenario's step of that index, which must be a run that gave one. */
export function resultOf(outcome: RunnerOutcome, index: number): SandboxResult {
  if (outcome.openError) throw new Error(outcome.openError.message);
  const step = outcome.steps[index];
  if (!step?.result) throw new Error(step?.error?.message ?? 'The step has no result.');
  return step.result;
}
