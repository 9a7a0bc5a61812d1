import { lstat, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ScenarioCommand } from '../support/sandbox-scenario.ts';
import { resultOf, STARTS, type Stage, setStage } from '../support/sandbox-stage.ts';

const ADAPTERS = ['bubblewrap', 'none'] as const;

const sh = (script: string, rest: Partial<ScenarioCommand> = {}): ScenarioCommand => ({
  ...rest,
  argv: ['/bin/sh', '-c', script],
});

for (const adapter of ADAPTERS) {
  describe.each(STARTS)(`the sandbox "${adapter}", started as %s`, (startedAs) => {
    let stage: Stage;
    let work: string;

    beforeAll(async () => {
      stage = await setStage(startedAs);
      work = join(stage.directory, 'work');
    });

    afterAll(async () => {
      const left = await stage.leftovers();
      await stage.remove();
      expect(left).toEqual([]);
    });

    const play = (steps: Parameters<Stage['play']>[0]['steps'], rest = {}) => stage.play({ adapter, steps, ...rest });

    /** One command in a slot of its own. */
    const run = async (command: ScenarioCommand, rest: { abortAfterMs?: number; closeAfterMs?: number } = {}) => {
      const outcome = await play([{ do: 'run', command, withLines: true, ...rest }]);
      return { result: resultOf(outcome, 0), lines: outcome.steps[0]?.lines ?? [] };
    };

    const freshWork = async () => {
      await rm(work, { recursive: true, force: true });
      await mkdir(work);
      await stage.give(work);
    };

    test('a program gets its arguments and folder, no input, and its exit code and streams come back', async () => {
      await freshWork();
      const command = sh('cat; cat /dev/stdin; pwd; echo problem >&2; exit 7', {
        cwd: work,
        mounts: [{ source: work, mode: 'rw' }],
      });
      const { result } = await run(command);
      expect(result).toMatchObject({
        exitCode: 7,
        stdout: `${work}\n`,
        stderr: 'problem\n',
        outputTruncated: false,
      });
      expect(result.stoppedBy).toBeUndefined();
      expect(result.durationMs).toBeGreaterThan(0);
    });

    test('the environment is exactly what was given', async () => {
      const { result } = await run({ argv: ['/usr/bin/env'], env: { ONE: '1', LD_LIBRARY_PATH: '/nowhere' } });
      const names = result.stdout.split('\n').filter((line) => line !== '' && !line.startsWith('PWD='));
      expect(names.sort()).toEqual(['LD_LIBRARY_PATH=/nowhere', 'ONE=1']);
    });

    test('a program that does not exist ends as a shell would end it, with a word on stderr', async () => {
      const { result } = await run({ argv: ['/no/such/program'] });
      expect(result.exitCode).toBe(127);
      expect(result.stderr).toContain('/no/such/program');
    });

    test('the streams can be opened by name, as scripts do, any number of times', async () => {
      const names = sh(
        'echo one >/dev/stderr; echo two >/dev/stdout; echo three | tee -a /dev/stderr; echo four >/proc/self/fd/2; exec 3<>/dev/stderr; echo five >&3',
      );
      // More often than what is made at once.
      const steps = Array.from({ length: 10 }, () => ({ do: 'run' as const, command: names }));
      const outcome = await play(steps);
      for (const index of steps.keys())
        expect(resultOf(outcome, index)).toMatchObject({
          exitCode: 0,
          stdout: 'two\nthree\n',
          stderr: 'one\nthree\nfour\nfive\n',
        });
      expect(await readdir(stage.slotsDirectory)).not.toContainEqual(expect.stringMatching(/pipes/));
    });

    test('lines come whole and in order, an unfinished last one too, and invalid UTF-8 is replaced', async () => {
      const { lines } = await run(sh(`printf 'one\\r\\ntw'; sleep 0.1; printf 'o\\n\\377\\nlast'`));
      expect(lines.map((entry) => entry.line)).toEqual(['one', 'two', '\uFFFD', 'last']);
      expect(new Set(lines.map((entry) => entry.stream))).toEqual(new Set(['stdout']));
    });

    test('a line without an end is cut and not gathered for ever', async () => {
      const { lines } = await run(sh('head -c 200000 /dev/zero | tr "\\0" x'));
      expect(lines.map((entry) => entry.line.length)).toEqual([65_536, 65_536, 65_536, 3_392]);
    });

    test('output beyond the cap is dropped, and the program is not held up by it', async () => {
      const { result, lines } = await run(
        sh('head -c 3000000 /dev/zero | tr "\\0" "\\n"; echo end >&2; exit 4', { outputBytes: 1_000 }),
      );
      expect(result.exitCode).toBe(4);
      expect(result.outputTruncated).toBe(true);
      expect(result.stdout.length + result.stderr.length).toBe(1_000);
      expect(lines.length).toBe(1_000);
    });

    test('a time-out asks the program itself to end, and waits for it', async () => {
      const { result } = await run(
        sh('trap "echo saved; exit 3" INT; echo ready; while :; do sleep 0.05; done', {
          timeoutMs: 700,
          graceMs: 10_000,
        }),
      );
      expect(result).toMatchObject({ exitCode: 3, stoppedBy: 'timeout', stdout: 'ready\nsaved\n' });
      expect(result.durationMs).toBeLessThan(8_000);
    });

    test('a program that does not end when asked is killed after the grace', async () => {
      const { result } = await run(sh('trap "" INT; while :; do sleep 0.05; done', { timeoutMs: 300, graceMs: 300 }));
      expect(result.stoppedBy).toBe('timeout');
      expect(result.exitCode).toBeUndefined();
      expect(result.durationMs).toBeGreaterThanOrEqual(590);
      expect(result.durationMs).toBeLessThan(5_000);
    });

    test('SIGINT goes to the program and not to its children', async () => {
      const script =
        '(trap "echo child was hit" INT; sleep 1; echo child went on) & trap "wait; wait; exit 5" INT; wait; wait; exit 6';
      const { result } = await run(sh(script, { timeoutMs: 300, graceMs: 5_000 }));
      expect(result.stdout).toBe('child went on\n');
    });

    test('aborting stops a command', async () => {
      const { result } = await run(sh('trap "exit 9" INT; while :; do sleep 0.05; done', { graceMs: 5_000 }), {
        abortAfterMs: 500,
      });
      expect(result).toMatchObject({ exitCode: 9, stoppedBy: 'signal' });
    });

    test('a command that was aborted before does not start', async () => {
      await freshWork();
      const command = sh('touch started', { cwd: work, mounts: [{ source: work, mode: 'rw' }] });
      const { result } = await run(command, { abortAfterMs: 0 });
      expect(result.stoppedBy).toBe('signal');
      expect(result.exitCode).toBeUndefined();
      expect(await readdir(work)).toEqual([]);
    });

    test('an owned folder can be written, and a reclaimed one removed whatever was done to it', async () => {
      await freshWork();
      await writeFile(join(work, 'ours'), 'before');
      await stage.give(join(work, 'ours'));
      const outside = join(stage.directory, 'outside');
      await writeFile(outside, 'keep');
      const before = await stat(outside);
      await symlink(outside, join(work, 'link'));
      const script =
        'echo changed > ours; mkdir -p deep/er; echo x > deep/er/file; chmod 000 deep/er/file deep/er deep ours; ls -l';
      const outcome = await play([
        { do: 'own', directory: work },
        { do: 'run', command: sh(script, { cwd: work, mounts: [{ source: work, mode: 'rw' }] }) },
        { do: 'reclaim', directory: work },
      ]);
      expect(resultOf(outcome, 1).stderr).toBe('');
      expect(outcome.steps.map((step) => step.error)).toEqual([undefined, undefined, undefined]);
      expect(await readFile(join(work, 'ours'), 'utf8')).toBe('changed\n');
      expect((await stat(join(work, 'deep/er'))).mode & 0o700).toBe(0o700);
      expect((await stat(join(work, 'deep/er/file'))).uid).toBe(stage.uid);
      expect(await stat(outside)).toMatchObject({ uid: before.uid, mode: before.mode });
      expect((await lstat(join(work, 'link'))).isSymbolicLink()).toBe(true);
    });

    test('a link in the place of a folder is neither given nor taken', async () => {
      const link = join(stage.directory, `link-${adapter}`);
      await symlink('/usr', link);
      const outcome = await play([
        { do: 'own', directory: link },
        { do: 'reclaim', directory: link },
      ]);
      for (const step of outcome.steps) expect(step.error?.message).toMatch(/name the real folder/);
    });

    test('commands of one slot come one after the other, and none after its close', async () => {
      const outcome = await play([
        { do: 'run', command: sh('echo first') },
        { do: 'run', command: sh('echo second') },
        { do: 'close' },
        { do: 'close' },
        { do: 'run', command: sh('echo third') },
      ]);
      expect([resultOf(outcome, 0).stdout, resultOf(outcome, 1).stdout]).toEqual(['first\n', 'second\n']);
      expect(outcome.steps[3]?.error).toBeUndefined();
      expect(outcome.steps[4]?.error?.message).toMatch(/closed/);
    });

    test('closing a slot stops what runs in it', async () => {
      const { result } = await run(sh('trap "" INT; sleep 20'), { closeAfterMs: 300 });
      expect(result.stoppedBy).toBe('signal');
      expect(result.exitCode).toBeUndefined();
      expect(result.durationMs).toBeLessThan(5_000);
    });

    test('children that are left behind end with the command', async () => {
      await freshWork();
      const mark = join(work, 'alive');
      const script = `sleep 3 & (sleep 1; echo x > ${mark}) & echo started`;
      const outcome = await play([
        { do: 'own', directory: work },
        { do: 'run', command: sh(script, { cwd: work, mounts: [{ source: work, mode: 'rw' }] }) },
        { do: 'run', command: sh('sleep 1.3', { cwd: work, mounts: [{ source: work, mode: 'rw' }] }) },
      ]);
      expect(resultOf(outcome, 1).durationMs).toBeLessThan(1_000);
      expect(await readdir(work)).toEqual([]);
    });
  });
}
