import { Worker } from 'node:worker_threads';
import type { JsonObject, ParsedFile, SourceFile } from '../../core/configuration-file.ts';
import { stripControl } from '../../lib/strip-control.ts';
import type { HclParser } from '../../ports/hcl-parser.ts';
import type { ParseAnswer, ParseRequest } from './parse-worker.ts';

export interface HclParserOptions {
  /** For one file; an honest one takes a few milliseconds, the first some hundred. */
  readonly fileTimeoutMs?: number;
  /** The thread ends when it had nothing to do for so long: it holds about 100 MB. */
  readonly idleMs?: number;
}

const FILE_TIMEOUT_MS = 10_000;
const IDLE_MS = 30_000;
/** No configuration written by a person is larger. */
const MAX_FILE_CHARACTERS = 4 * 1024 * 1024;
const MAX_PROBLEM_CHARACTERS = 1_000;

/** Reads files one after the other in a thread of its own, which is replaced when a file was too much for it. */
export function createHclParser(options: HclParserOptions = {}): HclParser {
  const timeoutMs = options.fileTimeoutMs ?? FILE_TIMEOUT_MS;
  const idleMs = options.idleMs ?? IDLE_MS;
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  const discard = async () => {
    const spent = worker;
    worker = undefined;
    await spent?.terminate();
  };
  const parseFile = async (file: SourceFile): Promise<ParsedFile> => {
    if (file.text.length > MAX_FILE_CHARACTERS) {
      return { path: file.path, problem: `${file.path}: it is larger than ${MAX_FILE_CHARACTERS / 1024 / 1024} MiB` };
    }
    worker ??= startWorker((ended) => {
      if (worker === ended) worker = undefined;
    });
    const answer = await ask(worker, file, timeoutMs);
    if ('problem' in answer && answer.spent) await discard();
    return toParsedFile(file.path, answer);
  };
  const parseAll = async (files: readonly SourceFile[]) => {
    clearTimeout(idle);
    const parsed: ParsedFile[] = [];
    for (const file of files) parsed.push(await parseFile(file));
    idle = setTimeout(() => void discard(), idleMs).unref();
    return parsed;
  };

  return {
    parse(files) {
      const result = queue.then(() => parseAll(files));
      queue = result.catch(() => undefined);
      return result;
    },
    async close() {
      await queue;
      clearTimeout(idle);
      await discard();
    },
  };
}

/** Nothing of our environment goes in, and no more memory than the limits say. */
function startWorker(onExit: (worker: Worker) => void): Worker {
  const worker = new Worker(new URL('./parse-worker.ts', import.meta.url), {
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 512, stackSizeMb: 8 },
  });
  // What goes wrong between two files must not end the program.
  worker.on('error', () => {});
  worker.once('exit', () => onExit(worker));
  worker.unref();
  return worker;
}

function ask(worker: Worker, file: SourceFile, timeoutMs: number): Promise<ParseAnswer> {
  return new Promise((resolve) => {
    const giveUp = (why: string) => finish({ problem: `${file.path}: it could not be read (${why})`, spent: true });
    const listeners = {
      message: (answer: ParseAnswer) => finish(answer),
      error: (error: unknown) => giveUp(error instanceof Error ? error.message : String(error)),
      messageerror: () => giveUp('its content is nested too deeply'),
      exit: () => giveUp('the parser ended'),
    };
    const finish = (answer: ParseAnswer) => {
      clearTimeout(timer);
      for (const [event, listener] of Object.entries(listeners)) worker.off(event, listener);
      worker.unref();
      resolve(answer);
    };
    const timer = setTimeout(() => giveUp('it took too long'), timeoutMs);
    worker.ref();
    for (const [event, listener] of Object.entries(listeners)) worker.once(event, listener);
    worker.postMessage({ path: file.path, text: file.text } satisfies ParseRequest);
  });
}

function toParsedFile(path: string, answer: ParseAnswer): ParsedFile {
  if ('problem' in answer) return { path, problem: stripControl(answer.problem).slice(0, MAX_PROBLEM_CHARACTERS) };
  if (isJsonObject(answer.body)) return { path, body: answer.body };
  return { path, problem: `${path}: it must hold an object at its top` };
}

/** What came out of a JSON parser is JSON; only its top has to be looked at. */
function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
