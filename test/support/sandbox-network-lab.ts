import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { execa } from 'execa';

/**
 * A machine of its own for network attacks, in network namespaces that are made for the test: one with the host's own address, the metadata
 * service and a server on every address there is, and one behind a cable that plays the outside.
 */
export interface NetworkLab {
  /** To be put in front of a program that shall run on the lab's machine. */
  readonly prefix: readonly string[];
  readonly outside: string;
  /** Outside as well, and to be denied by configuration. */
  readonly deniedOutside: string;
  /** Every way that could lead to a server of the machine, as `connect.mjs` takes them. */
  readonly targets: Readonly<Record<string, readonly string[]>>;
  close(): Promise<void>;
}

const HOST_ADDRESS = '198.51.100.7';
const METADATA = '169.254.169.254';
const CABLE = '203.0.113.1';
const OUTSIDE = '203.0.113.9';
const DENIED_OUTSIDE = '203.0.113.10';
/** What slirp4netns calls the host, and its name server. */
const SLIRP = ['10.0.2.2', '10.0.2.3'];
const LIFETIME_SECONDS = '900';

export async function buildNetworkLab(node: string, serversProgram: string, socketPath: string): Promise<NetworkLab> {
  if (process.getuid?.() !== 0)
    throw new Error('The network attacks need their own network namespaces: run this test as root.');
  const machine = await holder();
  const beyond = await holder();
  const servers: ChildProcess[] = [];
  const close = async () => {
    for (const child of [...servers, machine, beyond]) child.kill('SIGKILL');
  };
  try {
    await configure(machine, [
      'link set lo up',
      `addr add ${HOST_ADDRESS}/32 dev lo`,
      `addr add ${METADATA}/32 dev lo`,
      `link add cable type veth peer name cable netns ${beyond.pid}`,
      `addr add ${CABLE}/24 dev cable`,
      'link set cable up',
    ]);
    await configure(beyond, [
      'link set lo up',
      `addr add ${OUTSIDE}/24 dev cable`,
      `addr add ${DENIED_OUTSIDE}/24 dev cable`,
      'link set cable up',
    ]);
    servers.push(
      await serve(machine, node, serversProgram, machineServers(socketPath)),
      await serve(beyond, node, serversProgram, outsideServers),
    );
  } catch (error) {
    await close();
    throw error;
  }
  return {
    prefix: enter(machine),
    outside: `tcp:${OUTSIDE}:8080`,
    deniedOutside: `tcp:${DENIED_OUTSIDE}:8080`,
    targets: targets(socketPath),
    close,
  };
}

async function holder(): Promise<ChildProcess> {
  const child = spawn('/usr/bin/unshare', ['--net', '/usr/bin/sh', '-c', `echo; exec sleep ${LIFETIME_SECONDS}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await announced(child);
  return child;
}

const enter = (holding: ChildProcess) => ['/usr/bin/nsenter', '--target', `${holding.pid}`, '--net', '--'];

async function configure(holding: ChildProcess, lines: readonly string[]): Promise<void> {
  const [program = '', ...argv] = [...enter(holding), '/usr/sbin/ip', '-batch', '-'];
  await execa(program, argv, { input: lines.map((line) => `${line}\n`).join('') });
}

async function serve(
  holding: ChildProcess,
  node: string,
  program: string,
  servers: readonly object[],
): Promise<ChildProcess> {
  const [enterProgram = '', ...argv] = [...enter(holding), node, program];
  const child = spawn(enterProgram, argv, {
    env: { SERVERS: JSON.stringify(servers) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await announced(child);
  return child;
}

const machineServers = (socketPath: string) => [
  { name: 'loopback', host: '127.0.0.1', port: 7001 },
  { name: 'everywhere', host: '0.0.0.0', port: 7002 },
  { name: 'own-address', host: HOST_ADDRESS, port: 7003 },
  { name: 'database', host: '127.0.0.1', port: 5432 },
  { name: 'queue', host: '127.0.0.1', port: 6379 },
  { name: 'metadata', host: METADATA, port: 80 },
  { name: 'database-socket', path: socketPath },
  { name: 'abstract-socket', path: '\0holdfast-lab' },
];

const outsideServers = [
  { name: 'outside', host: OUTSIDE, port: 8080 },
  { name: 'denied-outside', host: DENIED_OUTSIDE, port: 8080 },
];

function targets(socketPath: string): Record<string, string[]> {
  const at = (port: number, addresses: readonly string[]) => addresses.map((address) => `tcp:${address}:${port}`);
  return {
    'a server on 127.0.0.1': at(7001, ['127.0.0.1', ...SLIRP]),
    'a server on 0.0.0.0': at(7002, ['127.0.0.1', '0.0.0.0', HOST_ADDRESS, CABLE, METADATA, ...SLIRP]),
    "a server on the host's own address": at(7003, [HOST_ADDRESS, ...SLIRP]),
    "the database's port": at(5432, ['127.0.0.1', 'localhost', ...SLIRP]),
    "the queue's port": at(6379, ['127.0.0.1', ...SLIRP]),
    'the metadata service': at(80, [METADATA]),
    "the database's unix socket": [`unix:${socketPath}`],
    'an abstract unix socket': ['abstract:holdfast-lab'],
  };
}

/** Waits for its first word; a program that ends without one is an error and not an endless wait. */
async function announced(child: ChildProcess): Promise<void> {
  const spoke = child.stdout ? once(child.stdout, 'data').then(() => true) : Promise.resolve(false);
  const isThere = await Promise.race([spoke, once(child, 'exit').then(() => false)]);
  if (!isThere) throw new Error('A program of the network lab ended before it was ready; what it said is above.');
}
