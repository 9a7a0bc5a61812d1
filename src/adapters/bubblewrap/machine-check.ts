import { readFile } from 'node:fs/promises';
import type { NetworkMode, SandboxSlot, SlotLimits } from '../../ports/sandbox.ts';
import { findGroupPlace } from './control-group.ts';
import { EgressNetwork } from './egress-network.ts';
import { type UidRange, uidRangeProblems } from './slot-uid.ts';
import { locateTools, missingTools, type SandboxTool, type SandboxTools } from './tools.ts';

export interface MachineQuestion {
  readonly network: NetworkMode;
  readonly openSlot: (limits: SlotLimits) => Promise<SandboxSlot>;
  readonly needed: readonly SandboxTool[];
  readonly tools: Partial<SandboxTools>;
  readonly isRoot: boolean;
  readonly uidRange: UidRange;
}

const MIB = 1024 * 1024;
const TRIAL_LIMITS: SlotLimits = { memoryBytes: 256 * MIB, processes: 50, diskBytes: 16 * MIB };

interface Switch {
  readonly path: string;
  readonly blocks: (value: string) => boolean;
  readonly problem: string;
}

/** Kernel settings that forbid user namespaces; absent files mean that the kernel does not have the setting. */
const SWITCHES: readonly Switch[] = [
  {
    path: '/proc/sys/user/max_user_namespaces',
    blocks: (value) => Number(value) === 0,
    problem:
      'User namespaces are switched off (user.max_user_namespaces is 0). Allow them with: sysctl -w user.max_user_namespaces=15000',
  },
  {
    path: '/proc/sys/kernel/unprivileged_userns_clone',
    blocks: (value) => Number(value) === 0,
    problem:
      'User namespaces are closed to ordinary users (kernel.unprivileged_userns_clone is 0). Allow them with: sysctl -w kernel.unprivileged_userns_clone=1',
  },
];

const APPARMOR_SWITCH = '/proc/sys/kernel/apparmor_restrict_unprivileged_userns';

/** Ubuntu 23.10 and later: https://discourse.ubuntu.com/t/spec-unprivileged-user-namespace-restrictions-via-apparmor-in-ubuntu-23-10/37626 */
const APPARMOR_PROBLEM = `AppArmor keeps bubblewrap from making user namespaces (kernel.apparmor_restrict_unprivileged_userns is 1). Put this into /etc/apparmor.d/bwrap and load it with: apparmor_parser -r /etc/apparmor.d/bwrap
abi <abi/4.0>,
include <tunables/global>
profile bwrap /usr/bin/bwrap flags=(unconfined) {
  userns,
  include if exists <local/bwrap>
}`;

/** Everything that is missing, and what a trial launch says when that does not explain it. */
export async function machineProblems(question: MachineQuestion): Promise<string[]> {
  if (process.platform !== 'linux') return [`bubblewrap needs Linux, and this is ${process.platform}.`];
  const located = await locateTools(question.tools);
  const problems = [
    ...missingTools(located, question.needed),
    ...(question.isRoot ? await uidRangeProblems(question.uidRange) : []),
    ...(await blockingSwitches()),
    ...(question.network === 'egress' ? await new EgressNetwork(located, []).problems() : []),
  ];
  if (problems.length > 0) return problems;
  const complaint = await trial(question);
  if (complaint === undefined) return [];
  return [(await readSwitch(APPARMOR_SWITCH)) === '1' ? APPARMOR_PROBLEM : explained(complaint)];
}

async function blockingSwitches(): Promise<string[]> {
  const values = await Promise.all(SWITCHES.map(async (entry) => ({ entry, value: await readSwitch(entry.path) })));
  return values
    .filter(({ entry, value }) => value !== undefined && entry.blocks(value))
    .map(({ entry }) => entry.problem);
}

async function readSwitch(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
}

/** undefined when a program ran. */
async function trial(question: MachineQuestion): Promise<string | undefined> {
  try {
    await using slot = await question.openSlot(TRIAL_LIMITS);
    const result = await slot.run({
      argv: ['/usr/bin/true'],
      cwd: '/',
      env: {},
      mounts: [],
      network: question.network,
      timeoutMs: 20_000,
      graceMs: 0,
      outputBytes: 10_000,
    });
    return result.exitCode === 0 ? undefined : `a trial program ended with ${result.exitCode}: ${result.stderr}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function explained(complaint: string): string {
  if (/mount proc/i.test(complaint))
    return `${complaint} Inside a container /proc must not be masked: start it with --security-opt systempaths=unconfined (and --security-opt seccomp=unconfined, --security-opt apparmor=unconfined).`;
  if (/namespace|Operation not permitted/i.test(complaint))
    return `${complaint} Inside a container, start it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined.`;
  return complaint;
}

/** What is weaker without standing in the way. */
export async function machineNotes(): Promise<string[]> {
  const place = await findGroupPlace();
  if (!('why' in place)) return [];
  return [
    `Memory and processes of a run are watched and not held by the kernel, because ${place.why}: a short overshoot is possible. Under systemd, give the service Delegate=yes and DelegateSubgroup=server; in a container, mount /sys/fs/cgroup writable.`,
  ];
}
