import { parentPort } from 'node:worker_threads';
import { parse } from '@cdktn/hcl2json';

/**
 * The inside of the parser's thread. hcl2json is Go compiled to WebAssembly: it blocks its thread while it parses, sets
 * globals, and is of no use any more after a stack overflow, so it gets a thread that may be thrown away.
 */
export interface ParseRequest {
  readonly path: string;
  readonly text: string;
}

/** `spent`: the thread is not to be used again. */
export type ParseAnswer = { readonly body: unknown } | { readonly problem: string; readonly spent: boolean };

/** What hcl2json itself says of a file that is no HCL: `parse config: [a.tf:1,2-3: Summary; Detail.]`. */
const DIAGNOSTICS = /^parse config: \[([\s\S]*)\]$/;

const port = parentPort;
port?.on('message', (request: ParseRequest) => {
  void read(request)
    .then((body) => port.postMessage({ body } satisfies ParseAnswer))
    .catch((error: unknown) => port.postMessage(describe(request, error)));
});

async function read(request: ParseRequest): Promise<unknown> {
  return request.path.endsWith('.json') ? JSON.parse(request.text) : await parse(request.path, request.text);
}

function describe(request: ParseRequest, error: unknown): ParseAnswer {
  const message = error instanceof Error ? error.message : String(error);
  const diagnostics = DIAGNOSTICS.exec(message)?.[1];
  if (diagnostics !== undefined) return { problem: diagnostics, spent: false };
  if (error instanceof SyntaxError) return { problem: `${request.path}: ${message}`, spent: false };
  return { problem: `${request.path}: it could not be read (${message})`, spent: true };
}
