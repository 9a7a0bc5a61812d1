import { OutputPipes } from '../../lib/output-pipes.ts';
import { type Sandbox, type SandboxSlot, SandboxUnavailableError, type SlotLimits } from '../../ports/sandbox.ts';
import { ControlGroup, findGroupPlace, type GroupPlace } from './control-group.ts';
import { EgressNetwork } from './egress-network.ts';
import { machineNotes, machineProblems } from './machine-check.ts';
import { mountProblems, prepareSystemLayout, type SystemLayout } from './root-layout.ts';
import { seccompFilter } from './seccomp-filter.ts';
import { BubblewrapSlot } from './slot.ts';
import { claimSlotUid, type UidRange, uidRangeProblems } from './slot-uid.ts';
import {
  type LocatedTools,
  locateTools,
  missingTools,
  namedTools,
  type SandboxTool,
  type SandboxTools,
} from './tools.ts';

export interface BubblewrapOptions {
  /** A folder of this program's own for the few files every sandbox sees; made when missing. */
  readonly slotsDirectory: string;
  /** Where pipes have their names for a moment, when not there: what a killed program leaves is to be removed by the next one. */
  readonly pipesDirectory?: string;
  /** Used only when we are root: one uid per open slot. Nothing else of the machine may use them. */
  readonly uidRange: UidRange;
  /** Addresses, networks (CIDR) or host names that `egress` never reaches, such as the database's, the queue's and the artifact store's. */
  readonly deniedAddresses: readonly string[];
  /** Where a tool is, when not in the system's folders. */
  readonly tools?: Partial<SandboxTools>;
}

/** What is found out once, at the first slot. */
interface Machine {
  readonly located: LocatedTools;
  readonly tools: SandboxTools;
  readonly system: SystemLayout;
  readonly groupPlace: GroupPlace | undefined;
  readonly pipes: OutputPipes;
}

const ALWAYS_NEEDED: readonly SandboxTool[] = ['bwrap', 'prlimit', 'chown', 'chmod', 'du', 'mkfifo'];

/** Every command in namespaces of its own, made by bubblewrap; see `Sandbox`. */
export function createBubblewrapSandbox(options: BubblewrapOptions): Sandbox {
  const isRoot = process.getuid?.() === 0;
  const needed: readonly SandboxTool[] = isRoot ? [...ALWAYS_NEEDED, 'setpriv'] : ALWAYS_NEEDED;
  let machine: Promise<Machine> | undefined;
  let opened = 0;

  const look = async (): Promise<Machine> => {
    const located = await locateTools(options.tools ?? {});
    const problems = [
      ...(SECCOMP_ARCHITECTURES.includes(process.arch)
        ? []
        : [`There is no system call filter for the architecture ${process.arch}.`]),
      ...missingTools(located, needed),
      ...(isRoot ? await uidRangeProblems(options.uidRange) : []),
    ];
    if (problems.length > 0) throw new SandboxUnavailableError(`The sandbox cannot be built: ${problems.join(' ')}`);
    const place = await findGroupPlace();
    const tools = namedTools(located);
    return {
      located,
      tools,
      system: await prepareSystemLayout(options.slotsDirectory),
      groupPlace: 'why' in place ? undefined : place,
      pipes: new OutputPipes({ mkfifo: tools.mkfifo, directory: options.pipesDirectory ?? options.slotsDirectory }),
    };
  };

  /** A machine that was mended is looked at again. */
  const current = (): Promise<Machine> => {
    machine ??= look().catch((error: unknown) => {
      machine = undefined;
      throw error;
    });
    return machine;
  };

  const openSlot = async (limits: SlotLimits): Promise<SandboxSlot> => {
    const { located, tools, system, groupPlace, pipes } = await current();
    const identity = isRoot ? await claimSlotUid(options.uidRange) : undefined;
    opened += 1;
    const name = identity ? `holdfast-${identity.uid}` : `holdfast-${process.pid}-${opened}`;
    try {
      const group = groupPlace && (await ControlGroup.create(groupPlace, name, limits));
      const egress = new EgressNetwork(located, options.deniedAddresses);
      const seccomp = seccompFilter(process.arch === 'arm64' ? 'arm64' : 'x64');
      return new BubblewrapSlot({ tools, system, seccomp, limits, identity, group, egress, pipes });
    } catch (error) {
      await identity?.release();
      throw error;
    }
  };

  return {
    kind: 'bubblewrap',
    openSlot,
    check: (network) =>
      machineProblems({ network, openSlot, needed, tools: options.tools ?? {}, isRoot, uidRange: options.uidRange }),
    checkMounts: mountProblems,
    notes: machineNotes,
  };
}

const SECCOMP_ARCHITECTURES: readonly string[] = ['x64', 'arm64'];
