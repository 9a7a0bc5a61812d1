import { chmod, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Attack, type AttackGround, CANARY, MIB, prepareGround } from '../support/sandbox-attack.ts';
import { buildNetworkLab, type NetworkLab } from '../support/sandbox-network-lab.ts';
import { STARTS } from '../support/sandbox-stage.ts';

/**
 * A pull request that tries. Every attack is played twice by the same program: without a sandbox it must succeed, or it would prove nothing;
 * in bubblewrap it must fail.
 */
describe.each(STARTS)('a pull request that tries, against a server started as %s', (startedAs) => {
  let ground: AttackGround;
  let lab: NetworkLab;

  beforeAll(async () => {
    ground = await prepareGround(startedAs);
    const socket = ground.file('database.sock');
    const servers = new URL('./programs/lab-servers.mjs', import.meta.url).pathname;
    lab = await buildNetworkLab(ground.stage.node, servers, socket);
    await chmod(socket, 0o777);
  });

  afterAll(async () => {
    await lab?.close();
    await ground?.close();
  });

  afterEach(async () => {
    expect(await ground.leftovers(false)).toEqual([]);
  });

  /** Succeeds unsandboxed, fails sandboxed, and leaves nothing running. */
  const contained = async (attack: Attack | (() => Promise<Attack>), prefix?: readonly string[]) => {
    const make = typeof attack === 'function' ? attack : async () => attack;
    const open = await ground.attempt('none', await make(), prefix);
    expect(open, 'without a sandbox the attack must succeed').toMatchObject({ breached: true });
    expect(await ground.leftovers(true), 'what the unsandboxed attack left').toEqual([]);
    const boxed = await ground.attempt('bubblewrap', await make(), prefix);
    expect(boxed, 'in the sandbox it must fail').toMatchObject({ breached: false });
    expect(await ground.leftovers(false), 'what the sandboxed attack left').toEqual([]);
    return boxed;
  };

  const tried = (outcome: { stdout: string; stderr: string }) =>
    expect(outcome, 'the attack must have run').toMatchObject({ stdout: expect.stringContaining('TRIED') });

  test("the server's environment", async () => {
    await ground.victim();
    tried(await contained({ program: 'read-environments.mjs', arguments: [CANARY] }));
  });

  test('/proc of other processes', async () => {
    const { word } = await ground.victim();
    tried(await contained({ program: 'look-at-processes.mjs', arguments: word }));
  });

  test("another checkout, another run's plan, the data directory, and the server's own 0600 files", async () => {
    const files = await Promise.all([
      ground.write('checkouts/other/main.tf', 'the neighbour', 0o644),
      ground.write('artifacts/plan', 'a plan with secrets', 0o644),
      ground.write('master.key', 'the key'),
    ]);
    const outcome = await contained({
      program: 'read-files.mjs',
      arguments: [...files, '/etc/hostname', '/etc/os-release'],
    });
    tried(outcome);
    expect(outcome.stdout.match(/held/g)).toHaveLength(5);
  });

  if (startedAs === 'root') {
    test("root's 0600 file, even in a folder that is mounted", async () => {
      const secret = await ground.write('mounted/secret', 'of root');
      const outcome = await contained({
        program: 'read-files.mjs',
        arguments: [secret],
        readable: [ground.file('mounted')],
      });
      tried(outcome);
      expect(outcome.stdout).toContain('EACCES');
    });
  }

  test('the provider mirror', async () => {
    const provider = await ground.write('mirror/provider', 'good', 0o755);
    const make = async (): Promise<Attack> => {
      await ground.write('mirror/provider', 'good', 0o755);
      return {
        program: 'write-files.mjs',
        arguments: [provider, join(ground.file('mirror'), 'new')],
        readable: [ground.file('mirror')],
        breached: async ({ stdout }) => stdout.includes('BREACH') || (await readFile(provider, 'utf8')) !== 'good',
      };
    };
    const outcome = await contained(make);
    tried(outcome);
    expect(await readFile(provider, 'utf8')).toBe('good');
  });

  test("forging a result through another process' standard output", async () => {
    tried(
      await contained(async () => {
        const victim = await ground.victim();
        const breached = async () => (await victim.output()).includes('forged');
        return { program: 'forge-result.mjs', arguments: [`${victim.pid}`], breached };
      }),
    );
  });

  test('killing a process of the server', async () => {
    tried(
      await contained(async () => {
        const victim = await ground.victim();
        const breached = async () => {
          await delay(100);
          return !victim.isAlive();
        };
        return { program: 'stop-server.mjs', arguments: [`${victim.pid}`], breached };
      }),
    );
  });

  test('namespaces of its own', async () => {
    tried(await contained({ program: 'new-namespaces.sh', arguments: [] }));
  });

  test('a fork bomb', async () => {
    const outcome = await contained({ program: 'fork-bomb.sh', arguments: [] });
    tried(outcome);
    // Either it was stopped, or it gave up when it was refused more.
    expect(outcome.stoppedBy ?? outcome.stderr).toMatch(/processes|Cannot fork/);
  });

  test('a memory hog of several processes', async () => {
    const outcome = await contained({ program: 'memory-hog.mjs', arguments: [] });
    tried(outcome);
    expect(outcome.stoppedBy).toBe('memory');
  });

  test('filling the disk through the checkout', async () => {
    const outcome = await contained({ program: 'fill-disk.mjs', arguments: ['filler', ground.checkout] });
    tried(outcome);
    expect(outcome.stoppedBy).toBe('disk');
  });

  test.each(['/tmp', '/dev/shm'])('filling memory through %s', async (folder) => {
    const outcome = await contained({
      program: 'fill-disk.mjs',
      arguments: [`holdfast-filler-${process.pid}`, folder],
    });
    tried(outcome);
    expect(outcome.stoppedBy ?? outcome.stdout).toMatch(/memory|ENOSPC/);
  });

  test('endless output', async () => {
    const flood = (outputBytes: number): Attack => ({
      program: 'endless-output.mjs',
      arguments: [],
      outputBytes,
      breached: async ({ stdout }) => stdout.length > 20 * MIB,
    });
    const open = await ground.attempt('none', flood(100 * MIB));
    expect(open.breached).toBe(true);
    for (const adapter of ['none', 'bubblewrap'] as const) {
      const capped = await ground.attempt(adapter, flood(MIB));
      expect(capped).toMatchObject({ breached: false, outputTruncated: true, stoppedBy: undefined });
      expect(capped.peakBytes).toBeLessThan(open.peakBytes - 20 * MIB);
    }
  });

  test('a child that survives', async () => {
    const late = join(ground.checkout, 'late');
    const breached = async () => {
      await delay(2_000);
      return stat(late).then(
        () => true,
        () => false,
      );
    };
    tried(await contained({ program: 'survivor.sh', arguments: [late], breached }));
  });

  describe.each(['none', 'egress'] as const)('with the network "%s"', (network) => {
    test.each([
      'a server on 127.0.0.1',
      'a server on 0.0.0.0',
      "a server on the host's own address",
      "the database's port",
      "the queue's port",
      'the metadata service',
      "the database's unix socket",
      'an abstract unix socket',
    ])('%s', async (name) => {
      const targets = lab.targets[name] ?? [];
      const outcome = await contained({ program: 'connect.mjs', arguments: targets, network }, lab.prefix);
      tried(outcome);
      expect(outcome.stdout.match(/^held/gm)).toHaveLength(targets.length);
    });
  });

  test('what is outside is reached with "egress" and not with "none"', async () => {
    const attack: Attack = { program: 'connect.mjs', arguments: [lab.outside] };
    expect((await ground.attempt('bubblewrap', { ...attack, network: 'egress' }, lab.prefix)).stdout).toContain(
      'BREACH outside',
    );
    expect((await ground.attempt('bubblewrap', { ...attack, network: 'none' }, lab.prefix)).breached).toBe(false);
  });

  test('an address outside that the configuration denies, as an address and as a network', async () => {
    const attack: Attack = { program: 'connect.mjs', arguments: [lab.deniedOutside], network: 'egress' };
    tried(await contained({ ...attack, deniedAddresses: ['203.0.113.10'] }, lab.prefix));
    tried(await contained({ ...attack, deniedAddresses: ['203.0.113.8/29'] }, lab.prefix));
    const undenied = await ground.attempt('bubblewrap', attack, lab.prefix);
    expect(undenied.stdout).toContain('BREACH denied-outside');
  });
});
