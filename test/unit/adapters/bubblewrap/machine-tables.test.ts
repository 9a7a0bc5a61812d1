import { describe, expect, test } from 'vitest';
import { parseGroupMounts, parseOwnGroups } from '../../../../src/adapters/bubblewrap/control-group.ts';
import { localAddresses } from '../../../../src/adapters/bubblewrap/egress-network.ts';
import { processTree } from '../../../../src/adapters/bubblewrap/process-table.ts';

describe('what the kernel tells in text', () => {
  test("a host's own addresses, networks among them, without loopback's", () => {
    const text = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
     +-- 192.0.2.0/24 2 0 2
        |-- 192.0.2.0
           /24 link UNICAST
        |-- 192.0.2.2
           /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
     |-- 198.51.100.0
        /24 host LOCAL
`;
    expect(localAddresses(text)).toEqual(['192.0.2.2/32', '198.51.100.0/24']);
  });

  test("a process's control groups on v1, on v2 and in a container", () => {
    expect(Object.fromEntries(parseOwnGroups('4:memory:/a/b\n8:cpu,pids:/c\n0::/unified\n'))).toEqual({
      memory: '/a/b',
      cpu: '/c',
      pids: '/c',
      '': '/unified',
    });
    const mounts = parseGroupMounts(`
30 23 0:26 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
31 23 0:27 /docker/x /sys/fs/cgroup/pids ro,nosuid - cgroup cgroup rw,pids
32 23 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate
33 23 0:29 / /tmp rw - tmpfs tmpfs rw`);
    expect(mounts.get('memory')).toEqual({ root: '/', point: '/sys/fs/cgroup/memory' });
    expect(mounts.get('pids')).toEqual({ root: '/docker/x', point: '/sys/fs/cgroup/pids' });
    expect(mounts.get('')).toEqual({ root: '/', point: '/sys/fs/cgroup/unified' });
  });

  test('a process tree holds grandchildren and nobody else', () => {
    const row = (pid: number, parent: number) => ({
      pid,
      parent,
      state: 'S',
      threads: 1,
      startedAt: pid,
      residentPages: 1,
    });
    const rows = [row(1, 0), row(9, 5), row(5, 1), row(6, 5), row(7, 6), row(8, 1)];
    expect(
      processTree(rows, 5)
        .map((entry) => entry.pid)
        .sort(),
    ).toEqual([5, 6, 7, 9]);
    expect(processTree(rows, 99)).toEqual([]);
  });
});
