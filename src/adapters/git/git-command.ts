import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { stripControl } from '../../lib/strip-control.ts';
import { MirrorError } from '../../ports/repository-mirror.ts';
import { gitEnvironment, type GitConfig, type GitNetwork } from './git-environment.ts';

export interface GitCall {
  /** The bare repository; undefined for a call that needs none. */
  readonly gitDir?: string;
  readonly args: readonly string[];
  readonly input?: string | Uint8Array;
  readonly config?: GitConfig;
  readonly env?: Readonly<Record<string, string>>;
  /** An open file the child gets as its standard input, in place of `input`, only to keep it open; see `FileLock`. */
  readonly held?: Readable;
  readonly maxOutputBytes?: number;
}

export interface GitResult {
  /** undefined when git was killed: by us (see `stoppedBy`) or by somebody else. */
  readonly exitCode: number | undefined;
  readonly stdout: Buffer;
  /** Cleaned of control characters, the last 2,000 characters. Hostile text all the same. */
  readonly stderr: string;
  readonly stoppedBy: 'timeout' | 'output' | undefined;
}

export interface GitSettings {
  readonly gitPath: string;
  readonly timeoutMs: number;
  readonly network: GitNetwork;
}

export type RunGit = (call: GitCall) => Promise<GitResult>;

/** A tree that lists to more than this is no repository but an attack (a few small objects can describe 10^10 files). */
const OUTPUT_LIMIT = 128 * 1024 * 1024;
const STDERR_KEPT = 2_000;
/** From SIGTERM, on which git removes its temporary files, to SIGKILL. */
const KILL_AFTER_MS = 5_000;

export function createRunGit(settings: GitSettings): RunGit {
  return async (call) => {
    const result = await execa(settings.gitPath, call.args, {
      cwd: '/',
      extendEnv: false,
      env: {
        ...gitEnvironment(settings.network, call.config ?? {}),
        ...(call.gitDir === undefined ? {} : { GIT_DIR: call.gitDir }),
        ...call.env,
      },
      reject: false,
      encoding: 'buffer',
      stripFinalNewline: false,
      timeout: settings.timeoutMs,
      forceKillAfterDelay: KILL_AFTER_MS,
      maxBuffer: call.maxOutputBytes ?? OUTPUT_LIMIT,
      ...(call.input === undefined ? { stdin: call.held ?? 'ignore' } : { input: call.input }),
    });
    if (result.code === 'ENOENT') throw gitNotFound(settings.gitPath);
    return {
      exitCode: result.exitCode,
      stdout: toBuffer(result.stdout),
      stderr: stripControl(toBuffer(result.stderr).toString()).trim().slice(-STDERR_KEPT),
      stoppedBy: result.timedOut ? 'timeout' : result.isMaxBuffer ? 'output' : undefined,
    };
  };
}

/** The words of a result that is no success. */
export function describeFailure(what: string, result: GitResult): string {
  if (result.stoppedBy === 'timeout') return `${what}: git took too long and was stopped`;
  if (result.stoppedBy === 'output') return `${what}: the answer is larger than ${OUTPUT_LIMIT / 1024 / 1024} MiB`;
  const reason = result.exitCode === undefined ? 'git was killed' : `git ended with ${result.exitCode}`;
  return result.stderr === '' ? `${what}: ${reason}` : `${what}: ${reason}: ${result.stderr}`;
}

function gitNotFound(path: string): MirrorError {
  return new MirrorError('failed', `${path} is not to be found; install it: apt-get install git`);
}

function toBuffer(output: Uint8Array | string | undefined): Buffer {
  if (typeof output === 'string') return Buffer.from(output);
  return output === undefined ? Buffer.alloc(0) : Buffer.from(output.buffer, output.byteOffset, output.byteLength);
}
