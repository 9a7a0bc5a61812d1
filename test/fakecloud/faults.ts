import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type FaultPoint =
  | 'configure'
  | 'read'
  | 'plan'
  | 'create'
  | 'update'
  | 'delete'
  | 'data'
  | 'after_create'
  | 'after_update';

/** One entry of `.faults.json` in the cloud's directory. It is read at every call, so that a test can change faults mid-run. */
export interface Fault {
  readonly op: FaultPoint;
  /** Of one object only. */
  readonly name?: string;
  /** How often it still happens; for ever when absent. */
  readonly times?: number;
  readonly delay_ms?: number;
  /** Never answers. */
  readonly hang?: boolean;
  /** The provider process dies as a Go program that panics. */
  readonly crash?: boolean;
  readonly error?: string;
  readonly warning?: string;
  readonly detail?: string;
}

/** The fault that is due now, already counted down. */
export function dueFault(directory: string, op: FaultPoint, name: string): Fault | undefined {
  const path = join(directory, '.faults.json');
  let faults: Fault[];
  try {
    faults = JSON.parse(readFileSync(path, 'utf8')) as Fault[];
  } catch {
    return undefined;
  }
  const at = faults.findIndex((f) => f.op === op && (f.name === undefined || f.name === name) && f.times !== 0);
  const fault = faults[at];
  if (fault?.times !== undefined) {
    faults[at] = { ...fault, times: fault.times - 1 };
    writeFileSync(`${path}.${process.pid}`, JSON.stringify(faults));
    renameSync(`${path}.${process.pid}`, path);
  }
  return fault;
}
