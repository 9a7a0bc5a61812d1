import { type ChildProcess, spawn } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { SandboxUnavailableError } from '../../ports/sandbox.ts';
import { type LocatedTools, missingTools } from './tools.ts';

/** slirp4netns's gateway, which stands for the host; link-local with the clouds' metadata service; multicast; all of IPv6, which is not offered. */
const ALWAYS_DENIED = ['10.0.2.2/32', '169.254.0.0/16', '224.0.0.0/4', '255.255.255.255/32', '::/0'];
const READY_PATIENCE_MS = 10_000;
const NOT_CLOSED = "The host's addresses could not be closed to the sandbox, so nothing was run:";
const LONGEST_COMPLAINT = 2_000;

export interface JoinedNetwork {
  leave(): Promise<void>;
}

/** Connects a sandbox's own network namespace to the outside through slirp4netns, with no way to this host or to what is denied. */
export class EgressNetwork {
  readonly #tools: LocatedTools;
  readonly #denied: readonly string[];

  /** `denied`: addresses, networks (CIDR) or host names; names are looked up at every launch. */
  constructor(tools: LocatedTools, denied: readonly string[]) {
    this.#tools = tools;
    this.#denied = denied;
  }

  async problems(): Promise<string[]> {
    const missing = missingTools(this.#tools, ['slirp4netns', 'ip', 'nsenter']);
    const tun = await access('/dev/net/tun', constants.R_OK | constants.W_OK).then(
      () => [],
      () => [
        'The device /dev/net/tun is missing or closed, and the network mode "egress" needs it. Load it with: modprobe tun; chmod 666 /dev/net/tun (in a container: --device /dev/net/tun).',
      ],
    );
    return [...missing, ...tun];
  }

  /** @throws SandboxUnavailableError naming everything that is missing. */
  async prepare(): Promise<void> {
    const problems = await this.problems();
    if (problems.length > 0)
      throw new SandboxUnavailableError(`The network mode "egress" cannot be built: ${problems.join(' ')}`);
  }

  /**
   * `pid` is a process of the held namespace. With `uid` (we are root) the namespace belongs to that uid and slirp4netns, which parses
   * hostile packets, runs as it; without, everything is this user's. Routes are set before the program starts, and it has no right to change them.
   */
  async join(pid: number, uid: number | undefined): Promise<JoinedNetwork> {
    await mapped(pid);
    // Started beside slirp4netns, as starting is most of what it costs; it waits for its lines.
    const routes = this.#routes(pid, uid);
    const addresses = this.#deniedNow();
    addresses.catch(() => {}); // Awaited below, when slirp4netns is there to be ended.
    let slirp: JoinedNetwork | undefined;
    try {
      slirp = await this.#slirp(pid, uid);
      routes.stdin.end((await addresses).map((address) => `route replace blackhole ${address}\n`).join(''));
      const { failed, stderr } = await routes;
      if (failed) throw new SandboxUnavailableError(`${NOT_CLOSED} ${stderr}`);
      return slirp;
    } catch (error) {
      routes.kill('SIGKILL');
      await slirp?.leave();
      throw error;
    }
  }

  async #slirp(pid: number, uid: number | undefined): Promise<JoinedNetwork> {
    const { slirp4netns = '', setpriv = '' } = this.#tools;
    const drop = uid === undefined ? [] : [setpriv, '--reuid', `${uid}`, '--regid', `${uid}`, '--clear-groups', '--'];
    const options = ['--configure', '--mtu=65520', '--disable-host-loopback', '--ready-fd=3', '--exit-fd=4'];
    const [program = '', ...argv] = [...drop, slirp4netns, ...options, `${pid}`, 'tap0'];
    // `node:child_process`: it lives as long as the run, and ends when descriptor 4 closes, so also when this program is killed.
    const child = spawn(program, argv, {
      env: {},
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    });
    for (const stream of child.stdio) stream?.on('error', () => {});
    await ready(child);
    return { leave: () => ended(child) };
  }

  #routes(pid: number, uid: number | undefined) {
    const { nsenter = '', ip = '' } = this.#tools;
    const user = uid === undefined ? ['--user', '--preserve-credentials'] : [];
    const argv = ['--target', `${pid}`, ...user, '--net', '--', ip, '-batch', '-'];
    return execa(nsenter, argv, { extendEnv: false, env: {}, reject: false, timeout: READY_PATIENCE_MS * 2 });
  }

  /** Afresh for every launch: interfaces come and go, and names move. */
  async #deniedNow(): Promise<string[]> {
    const own = localAddresses(await readFile('/proc/net/fib_trie', 'utf8'));
    const configured = await Promise.all(this.#denied.map(resolveDenied));
    return [...new Set([...ALWAYS_DENIED, ...own, ...configured.flat()])];
  }
}

/** What cannot be looked up cannot be denied, so it is an error and not an empty list. */
async function resolveDenied(denied: string): Promise<string[]> {
  if (isIP(denied.split('/')[0] ?? '') !== 0) return denied.includes(':') ? [] : [denied];
  const found = await lookup(denied, { all: true, family: 4 }).catch((error: Error) => {
    throw new SandboxUnavailableError(
      `The address ${denied} must be closed to the sandbox, but it cannot be looked up (${error.message}). Give its address instead of its name.`,
    );
  });
  return found.map((entry) => entry.address);
}

/** Every IPv4 address or network that this host answers for, from the kernel's own table: interfaces' addresses and local routes. */
export function localAddresses(fibTrie: string): string[] {
  const found = new Set<string>();
  let address = '';
  for (const line of fibTrie.split('\n')) {
    address = /\|-- ([\d.]+)/.exec(line)?.[1] ?? address;
    const bits = /\/(\d+) host LOCAL/.exec(line)?.[1];
    if (bits !== undefined && !address.startsWith('127.')) found.add(`${address}/${bits}`);
  }
  return [...found];
}

/** Until a user namespace's ids are mapped nobody can act in it. */
async function mapped(pid: number): Promise<void> {
  const deadline = Date.now() + READY_PATIENCE_MS;
  for (;;) {
    const map = await readFile(`/proc/${pid}/uid_map`, 'utf8').catch(() => undefined);
    if (map) return;
    if (map === undefined || Date.now() > deadline)
      throw new SandboxUnavailableError('The sandbox ended before its network was joined.');
    await delay(1);
  }
}

async function ready(child: ChildProcess): Promise<void> {
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    if (complaint.length < LONGEST_COMPLAINT) complaint += chunk.toString();
  });
  const answer = new Promise<boolean>((resolve) => {
    (child.stdio[3] as Duplex).once('data', () => resolve(true));
    child.once('exit', () => resolve(false));
    child.once('error', () => resolve(false));
  });
  const isReady = await Promise.race([answer, delay(READY_PATIENCE_MS, false, { ref: false })]);
  if (isReady) return;
  await ended(child);
  throw new SandboxUnavailableError(
    `slirp4netns could not connect the sandbox to the outside, so nothing was run: ${complaint.trim()}`,
  );
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
  for (const stream of child.stdio) stream?.destroy();
}
