import { createBubblewrapSandbox } from '../../src/adapters/bubblewrap/bubblewrap-sandbox.ts';
import { createUnsandboxed } from '../../src/adapters/no-sandbox/no-sandbox.ts';
import type {
  NetworkMode,
  Sandbox,
  SandboxCommand,
  SandboxResult,
  SandboxSlot,
  SlotLimits,
} from '../../src/ports/sandbox.ts';

/**
 * What one program that uses a sandbox does from start to end, as data: so that the same test can be played by this process and by a process
 * of another user.
 */
export interface SandboxScenario {
  readonly adapter: Sandbox['kind'];
  readonly slotsDirectory: string;
  readonly deniedAddresses?: readonly string[];
  readonly tools?: Readonly<Record<string, string>>;
  readonly uidRange: { readonly first: number; readonly count: number };
  readonly limits?: Partial<SlotLimits>;
  readonly steps: readonly ScenarioStep[];
}

export type ScenarioStep =
  | { readonly do: 'own' | 'reclaim'; readonly directory: string }
  | RunStep
  | { readonly do: 'close' }
  | { readonly do: 'check'; readonly network: NetworkMode };

export interface RunStep {
  readonly do: 'run';
  readonly command: ScenarioCommand;
  readonly withLines?: boolean;
  readonly abortAfterMs?: number;
  readonly closeAfterMs?: number;
}

export type ScenarioCommand = Partial<Omit<SandboxCommand, 'argv' | 'onLine' | 'signal'>> & {
  readonly argv: readonly [string, ...string[]];
};

export interface ScenarioLine {
  readonly line: string;
  readonly stream: 'stdout' | 'stderr';
}

export interface StepOutcome {
  readonly result?: SandboxResult;
  readonly lines?: readonly ScenarioLine[];
  readonly problems?: readonly string[];
  readonly error?: { readonly name: string; readonly message: string };
}

export interface ScenarioOutcome {
  readonly steps: readonly StepOutcome[];
  readonly notes: readonly string[];
  readonly openError?: { readonly name: string; readonly message: string };
}

const MIB = 1024 * 1024;

export const TEST_LIMITS: SlotLimits = { memoryBytes: 512 * MIB, processes: 200, diskBytes: 64 * MIB };

export async function playScenario(scenario: SandboxScenario): Promise<ScenarioOutcome> {
  const sandbox = sandboxOf(scenario);
  const notes = await sandbox.notes();
  const onlyChecks = scenario.steps.every((step) => step.do === 'check');
  if (onlyChecks) return { notes, steps: await inOrder(scenario.steps, (step) => playStep(sandbox, undefined, step)) };
  try {
    await using slot = await sandbox.openSlot({ ...TEST_LIMITS, ...scenario.limits });
    return { notes, steps: await inOrder(scenario.steps, (step) => playStep(sandbox, slot, step)) };
  } catch (error) {
    return { steps: [], notes, openError: described(error) };
  }
}

async function playStep(sandbox: Sandbox, slot: SandboxSlot | undefined, step: ScenarioStep): Promise<StepOutcome> {
  try {
    if (step.do === 'check') return { problems: await sandbox.check(step.network) };
    if (!slot) throw new Error('There is no slot.');
    if (step.do === 'run') return await playRun(slot, step);
    if (step.do === 'close') await slot.close();
    else await slot[step.do](step.directory);
    return {};
  } catch (error) {
    return { error: described(error) };
  }
}

async function playRun(slot: SandboxSlot, step: RunStep): Promise<StepOutcome> {
  const lines: ScenarioLine[] = [];
  const abort = new AbortController();
  if (step.abortAfterMs === 0) abort.abort();
  else if (step.abortAfterMs !== undefined) setTimeout(() => abort.abort(), step.abortAfterMs);
  if (step.closeAfterMs !== undefined) setTimeout(() => void slot.close(), step.closeAfterMs);
  const onLine = (line: string, stream: 'stdout' | 'stderr') => lines.push({ line, stream });
  const result = await slot.run({ ...defaults, ...step.command, onLine, signal: abort.signal });
  return { result, lines: step.withLines ? lines : [] };
}

const defaults = {
  cwd: '/tmp',
  env: {},
  mounts: [],
  network: 'none' as NetworkMode,
  timeoutMs: 30_000,
  graceMs: 2_000,
  outputBytes: 1_000_000,
};

function sandboxOf(scenario: SandboxScenario): Sandbox {
  if (scenario.adapter === 'none') return createUnsandboxed({ directory: scenario.slotsDirectory });
  return createBubblewrapSandbox({
    slotsDirectory: scenario.slotsDirectory,
    uidRange: scenario.uidRange,
    deniedAddresses: scenario.deniedAddresses ?? [],
    tools: scenario.tools ?? {},
  });
}

function described(error: unknown): { name: string; message: string } {
  return error instanceof Error
    ? { name: error.name, message: error.message }
    : { name: 'unknown', message: String(error) };
}

async function inOrder<In, Out>(values: readonly In[], work: (value: In) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = [];
  for (const value of values) results.push(await work(value));
  return results;
}
