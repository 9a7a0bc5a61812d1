/**
 * A classic BPF program that refuses system calls a terraform run never needs and an attacker likes: see seccomp(2) and
 * https://docs.kernel.org/userspace-api/seccomp_filter.html. It is made here because the known libraries bind libseccomp natively,
 * and a list this short needs no compiler. System call numbers: the kernel's arch/x86/entry/syscalls/syscall_64.tbl and
 * include/uapi/asm-generic/unistd.h (arm64).
 */

export type SeccompArchitecture = 'x64' | 'arm64';

/** [x86_64, arm64]; undefined where the architecture does not have the call. */
type Numbers = readonly [number | undefined, number | undefined];

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

/** Answered "operation not permitted". Grouped by what they would open. */
const FORBIDDEN: Readonly<Record<string, Numbers>> = {
  // Other processes.
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  kcmp: [312, 272],
  pidfd_getfd: [438, 438],
  process_madvise: [440, 440],
  // Mounts and namespaces.
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  unshare: [272, 97],
  setns: [308, 268],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  // Large attack surfaces of the kernel.
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  fanotify_init: [300, 262],
  mbind: [237, 235],
  migrate_pages: [256, 238],
  move_pages: [279, 239],
  modify_ldt: [154, undefined],
  // The machine.
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  reboot: [169, 142],
  swapon: [167, 224],
  swapoff: [168, 225],
  acct: [163, 89],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  syslog: [103, 116],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  adjtimex: [159, 171],
  clock_adjtime: [305, 266],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  iopl: [172, undefined],
  ioperm: [173, undefined],
  vhangup: [153, 58],
  uselib: [134, undefined],
  lookup_dcookie: [212, 18],
};

/** Answered "no such call", so that programs fall back: memory that no process's resident size shows, and `clone3`, whose flags a filter cannot see. */
const UNKNOWN: Readonly<Record<string, Numbers>> = {
  clone3: [435, 435],
  memfd_create: [319, 279],
  memfd_secret: [447, 447],
  shmget: [29, 194],
};

const CLONE: Numbers = [56, 220];
const SOCKET: Numbers = [41, 198];
const SOCKETPAIR: Numbers = [53, 199];
const IOCTL: Numbers = [16, 29];

/** CLONE_NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET. */
const NAMESPACE_FLAGS = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000;
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
/** Only with protocol 0 (NETLINK_ROUTE): resolvers list the interfaces with it. */
const AF_NETLINK = 16;

const AUDIT_ARCH: Readonly<Record<SeccompArchitecture, number>> = { x64: 0xc000003e, arm64: 0xc00000b7 };
/** Bit of x32 calls, which would go around the numbers above. */
const X32_BIT = 0x40000000;

const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_AT_LEAST = 0x35;
const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const KILL_PROCESS = 0x80000000;
const refuse = (errno: number) => 0x00050000 | errno;

/** Offsets in struct seccomp_data; the low halves of the arguments on a little-endian machine. */
const NUMBER = 0;
const ARCHITECTURE = 4;
const argument = (index: number) => 16 + 8 * index;

type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, value: number];

/** The program's bytes, as `bwrap --seccomp` reads them. */
export function seccompFilter(architecture: SeccompArchitecture): Buffer {
  const column = architecture === 'x64' ? 0 : 1;
  const program: Instruction[] = [
    [LOAD, 0, 0, ARCHITECTURE],
    [JUMP_EQUAL, 1, 0, AUDIT_ARCH[architecture]],
    [RETURN, 0, 0, KILL_PROCESS],
    [LOAD, 0, 0, NUMBER],
    ...(architecture === 'x64' ? x32Refusal : []),
    ...refuseAll(FORBIDDEN, column, EPERM),
    ...refuseAll(UNKNOWN, column, ENOSYS),
    ...onCall(CLONE[column], cloneRules),
    ...onCall(SOCKET[column], socketRules),
    ...onCall(SOCKETPAIR[column], socketRules),
    ...onCall(IOCTL[column], ioctlRules),
    [RETURN, 0, 0, ALLOW],
  ];
  return encode(program);
}

const x32Refusal: readonly Instruction[] = [
  [JUMP_AT_LEAST, 0, 1, X32_BIT],
  [RETURN, 0, 0, refuse(ENOSYS)],
];

const cloneRules: readonly Instruction[] = [
  [LOAD, 0, 0, argument(0)],
  [JUMP_ANY_BIT, 0, 1, NAMESPACE_FLAGS],
  [RETURN, 0, 0, refuse(EPERM)],
  [RETURN, 0, 0, ALLOW],
];

const socketRules: readonly Instruction[] = [
  [LOAD, 0, 0, argument(0)],
  [JUMP_EQUAL, 6, 0, AF_UNIX],
  [JUMP_EQUAL, 5, 0, AF_INET],
  [JUMP_EQUAL, 4, 0, AF_INET6],
  [JUMP_EQUAL, 0, 2, AF_NETLINK],
  [LOAD, 0, 0, argument(2)],
  [JUMP_EQUAL, 1, 0, 0],
  [RETURN, 0, 0, refuse(EAFNOSUPPORT)],
  [RETURN, 0, 0, ALLOW],
];

const ioctlRules: readonly Instruction[] = [
  [LOAD, 0, 0, argument(1)],
  [JUMP_EQUAL, 1, 0, TIOCSTI],
  [JUMP_EQUAL, 0, 1, TIOCLINUX],
  [RETURN, 0, 0, refuse(EPERM)],
  [RETURN, 0, 0, ALLOW],
];

function refuseAll(calls: Readonly<Record<string, Numbers>>, column: 0 | 1, errno: number): Instruction[] {
  return Object.values(calls).flatMap((numbers) => onCall(numbers[column], [[RETURN, 0, 0, refuse(errno)]]));
}

/** `rules` must end in a return on every path: the accumulator no longer holds the call's number after them. */
function onCall(number: number | undefined, rules: readonly Instruction[]): Instruction[] {
  if (number === undefined) return [];
  return [[JUMP_EQUAL, 0, rules.length, number], ...rules];
}

function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(([code, jumpTrue, jumpFalse, value], index) => {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(jumpTrue, index * 8 + 2);
    bytes.writeUInt8(jumpFalse, index * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4);
  });
  return bytes;
}
