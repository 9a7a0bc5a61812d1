import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerConfig } from '../../config/server-config.ts';
import { openSandbox, operatorMounts } from '../../infrastructure.ts';
import { type Finding, good, note, problem } from './finding.ts';

const MEND_MOUNTS = 'Change sandbox.mounts (HOLDFAST_SANDBOX_MOUNTS) or provider_mirror.directory.';

/** Builds one sandbox as a run would, with the server's network mode, and says what stands in the way. */
export async function checkSandbox(config: ServerConfig): Promise<readonly Finding[]> {
  const { kind, network } = config.sandbox;
  if (kind === 'none') {
    const text = 'runs are not contained (sandbox: none): whoever opens a pull request runs programs as this user';
    return [note(text, 'Set HOLDFAST_SANDBOX=bubblewrap.')];
  }
  // Apart from the data directory, in which another Holdfast may be at work.
  const slots = await mkdtemp(join(tmpdir(), 'holdfast-doctor-'));
  try {
    await chmod(slots, 0o711);
    const sandbox = openSandbox(config, { slots, work: slots }, undefined);
    const problems = await sandbox.check(network);
    const mounts = await sandbox.checkMounts(operatorMounts(config));
    const notes = await sandbox.notes();
    const found = problems.length === 0 ? [good(`sandbox: bubblewrap, network ${network}`)] : problems.map(toProblem);
    return [...found, ...mounts.map((text) => problem(text, MEND_MOUNTS)), ...notes.map((text) => note(text))];
  } finally {
    await rm(slots, { recursive: true, force: true });
  }
}

function toProblem(text: string): Finding {
  return problem(text, 'docker/README.md says what a container needs; HOLDFAST_SANDBOX_NETWORK=none needs the least.');
}
