import { describe, expect, test } from 'vitest';
import { type SeccompArchitecture, seccompFilter } from '../../../../src/adapters/bubblewrap/seccomp-filter.ts';

const AUDIT = { x64: 0xc000003e, arm64: 0xc00000b7 };
const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const errno = (number: number) => 0x00050000 | number;

/** Runs the program as the kernel would, on the machine's numbers. */
function verdict(
  architecture: SeccompArchitecture,
  call: number,
  args: readonly number[] = [],
  audit = AUDIT[architecture],
): number {
  const program = seccompFilter(architecture);
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call, 0);
  data.writeUInt32LE(audit, 4);
  args.forEach((value, index) => data.writeUInt32LE(value >>> 0, 16 + 8 * index));
  let accumulator = 0;
  for (let at = 0; at < program.length / 8; at += 1) {
    const [code, yes, no, value] = [
      program.readUInt16LE(at * 8),
      program[at * 8 + 2] ?? 0,
      program[at * 8 + 3] ?? 0,
      program.readUInt32LE(at * 8 + 4),
    ];
    if (code === 0x20) accumulator = data.readUInt32LE(value);
    else if (code === 0x06) return value;
    else if (code === 0x15) at += accumulator === value ? yes : no;
    else if (code === 0x35) at += accumulator >= value ? yes : no;
    else if (code === 0x45) at += (accumulator & value) !== 0 ? yes : no;
    else throw new Error(`An instruction that is not used: ${code}`);
  }
  throw new Error('The program ends without a verdict.');
}

const CALLS = {
  x64: {
    read: 0,
    ptrace: 101,
    clone: 56,
    clone3: 435,
    socket: 41,
    socketpair: 53,
    ioctl: 16,
    mount: 165,
    memfd: 319,
    execve: 59,
  },
  arm64: {
    read: 63,
    ptrace: 117,
    clone: 220,
    clone3: 435,
    socket: 198,
    socketpair: 199,
    ioctl: 29,
    mount: 40,
    memfd: 279,
    execve: 221,
  },
} as const;

describe.each(['x64', 'arm64'] as const)('the system call filter for %s', (architecture) => {
  const calls = CALLS[architecture];
  const judge = (call: number, ...args: number[]) => verdict(architecture, call, args);

  test('lets through what programs do', () => {
    for (const call of [calls.read, calls.execve]) expect(judge(call)).toBe(ALLOW);
  });

  test('refuses what they never need', () => {
    expect(judge(calls.ptrace)).toBe(errno(1));
    expect(judge(calls.mount)).toBe(errno(1));
    expect(judge(calls.memfd)).toBe(errno(38));
    expect(judge(calls.clone3)).toBe(errno(38));
  });

  test('allows new threads and processes, but no new namespace', () => {
    expect(judge(calls.clone, 0x3d0f00)).toBe(ALLOW);
    expect(judge(calls.clone, 17)).toBe(ALLOW);
    for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000])
      expect(judge(calls.clone, flag | 17)).toBe(errno(1));
  });

  test('knows four families of sockets, and of netlink only the routing one', () => {
    for (const call of [calls.socket, calls.socketpair]) {
      for (const family of [1, 2, 10]) expect(judge(call, family, 1, 6)).toBe(ALLOW);
      expect(judge(call, 16, 3, 0)).toBe(ALLOW);
      expect(judge(call, 16, 3, 9)).toBe(errno(97));
      for (const family of [0, 3, 15, 17, 29, 38, 40, 44]) expect(judge(call, family, 1, 0)).toBe(errno(97));
    }
  });

  test('keeps programs from typing into a terminal', () => {
    expect(judge(calls.ioctl, 1, 0x5412)).toBe(errno(1));
    expect(judge(calls.ioctl, 1, 0x541c)).toBe(errno(1));
    expect(judge(calls.ioctl, 1, 0x5413)).toBe(ALLOW);
  });

  test('kills calls in the numbers of another architecture', () => {
    expect(verdict(architecture, calls.read, [], 0x40000003)).toBe(KILL);
  });
});

test('x32 calls, which would go around the numbers, do not exist', () => {
  expect(verdict('x64', 0x40000000 | 101)).toBe(errno(38));
  expect(verdict('x64', 0x40000000)).toBe(errno(38));
});
