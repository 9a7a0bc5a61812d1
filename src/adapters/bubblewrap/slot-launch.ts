import { release } from 'node:os';
import type { OutputPipes } from '../../lib/output-pipes.ts';
import type { SandboxCommand, SlotLimits } from '../../ports/sandbox.ts';
import type { ControlGroup } from './control-group.ts';
import type { EgressNetwork, JoinedNetwork } from './egress-network.ts';
import type { LaunchOptions } from './launch.ts';
import { innerArguments, outerArguments } from './launch-arguments.ts';
import { isReachable, rootLayout, type SystemLayout } from './root-layout.ts';
import type { SlotUid } from './slot-uid.ts';
import type { SandboxTools } from './tools.ts';

export interface SlotParts {
  readonly tools: SandboxTools;
  readonly system: SystemLayout;
  readonly seccomp: Buffer;
  readonly limits: SlotLimits;
  /** undefined when this program is an ordinary user: then the slot runs as that user. */
  readonly identity: SlotUid | undefined;
  /** undefined where no control group is writable: then the watch alone counts. */
  readonly group: ControlGroup | undefined;
  readonly egress: EgressNetwork;
  readonly pipes: OutputPipes;
}

export interface PreparedLaunch {
  readonly options: LaunchOptions;
  leaveNetwork(): Promise<void>;
}

const MIB = 1024 * 1024;
const LARGEST_SHARED_MEMORY = 64 * MIB;
const SPARE_PROCESSES = 16;
const SPARE_DATA = 512 * MIB;
/** Since then RLIMIT_NPROC counts per user namespace: before, a user's other programs would count, too. */
const COUNTS_PER_NAMESPACE = [5, 14] as const;

/** Everything about one launch that is decided before a process exists. @throws SandboxUnavailableError when the network cannot be built. */
export async function prepareLaunch(parts: SlotParts, command: SandboxCommand): Promise<PreparedLaunch> {
  const { tools, system, identity, group, egress, limits } = parts;
  const layout = await rootLayout(system, command.mounts, command.network);
  const isEgress = command.network === 'egress';
  if (isEgress) await egress.prepare();
  const networkMade = isEgress && !identity;
  const assembled = identity ? !(await isReachable(layout, identity.uid)) : networkMade;
  let joining: Promise<JoinedNetwork> | undefined;
  const join = async (pid: number) => {
    joining = egress.join(pid, identity?.uid);
    await joining;
  };
  const options: LaunchOptions = {
    bwrap: tools.bwrap,
    drop: dropArguments(parts),
    argv: [...rlimitArguments(parts), ...command.argv],
    outerArguments: assembled ? outerArguments(layout, identity ? 'root' : 'user', networkMade) : undefined,
    innerArguments: innerArguments(layout, {
      cwd: command.cwd,
      env: command.env,
      network: command.network,
      networkMade,
      assembled,
      tmpBytes: Math.max(MIB, Math.min(limits.diskBytes, Math.floor(limits.memoryBytes / 2))),
      sharedMemoryBytes: Math.max(MIB, Math.min(LARGEST_SHARED_MEMORY, Math.floor(limits.memoryBytes / 8))),
    }),
    seccomp: parts.seccomp,
    onHeld: async (pid) => group?.add(pid),
    network: isEgress ? { pidFrom: networkMade ? 'outer' : 'inner', join } : undefined,
  };
  // Also one that was still being joined when the launch failed for another reason.
  const leaveNetwork = async () => (await joining?.catch(() => undefined))?.leave();
  return { options, leaveNetwork };
}

function dropArguments({ tools, identity }: SlotParts): string[] {
  if (!identity) return [];
  return [tools.setpriv, '--reuid', `${identity.uid}`, '--regid', `${identity.uid}`, '--clear-groups', '--'];
}

/** Per process, set by the last program before the run's own: what a single process may do. The sums are the group's and the watch's. */
function rlimitArguments({ limits, group, identity, tools }: SlotParts): string[] {
  // Above the limit, so that the group or the watch sees it reached and says so.
  const processes = limits.processes + SPARE_PROCESSES;
  const data = limits.memoryBytes * 2 + SPARE_DATA;
  const perNamespace = kernelIsAtLeast(COUNTS_PER_NAMESPACE);
  return [
    tools.prlimit,
    '--core=0:0',
    `--fsize=${limits.diskBytes}:${limits.diskBytes}`,
    ...(identity || perNamespace ? [`--nproc=${processes}:${processes}`] : []),
    // Without a group a hog could outrun the watch. Well above the limit: thread stacks count here although nobody touches them.
    ...(group ? [] : [`--data=${data}:${data}`]),
    '--',
  ];
}

function kernelIsAtLeast([major, minor]: readonly [number, number]): boolean {
  const [hasMajor = 0, hasMinor = 0] = release().split('.').map(Number);
  return hasMajor > major || (hasMajor === major && hasMinor >= minor);
}
