#!/usr/bin/env node
/**
 * Starts Holdfast on a machine that has nothing but some Node >= 20: installs the packages of the lockfile when they are missing,
 * then hands over to the Node that the lockfile brings. Plain JavaScript without dependencies, because it runs before there are any.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const MODULES = join(ROOT, 'node_modules');
const STAMP = join(MODULES, '.holdfast-installed');

/** Programs, and the Debian package that brings each. */
const FOR_DEMO = { git: 'git', bwrap: 'bubblewrap', slirp4netns: 'slirp4netns', ip: 'iproute2' };
const FOR_TEST = { ...FOR_DEMO, 'redis-server': 'redis-server', chromium: 'chromium' };

/** What each script runs, and which programs it must find. */
const SCRIPTS = {
  demo: { file: 'test/demo/main.ts', programs: FOR_DEMO },
  'npm-test': { file: 'test/run.ts', programs: FOR_TEST },
  'npm-check': { file: 'test/check.ts', programs: {} },
  'npm-bench': { file: 'test/bench/main.ts', programs: FOR_DEMO },
  'npm-conformance': { file: 'test/conformance/main.ts', programs: {} },
  'npm-mutation': { file: 'test/mutation/main.ts', programs: {} },
};

/** V8 keeps up to three times a semi-space for what it has just allocated: 4 MiB instead of 16 saves 40 MB at rest. */
const NODE_FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4'];

const say = (text) => process.stderr.write(`holdfast: ${text}\n`);

const fail = (text) => {
  say(text);
  process.exit(1);
};

const isRoot = () => process.getuid?.() === 0;

const isOnPath = (program) =>
  [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'].some((folder) => existsSync(join(folder, program)));

/** The lockfile's digest, so that a changed lockfile installs again and an unchanged one costs nothing. */
const lockDigest = () =>
  createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');

function installPackages() {
  const digest = lockDigest();
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === digest) return;
  say('installing the npm packages of package-lock.json (npm ci) ...');
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--engine-strict=false'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (npm.error) fail(`npm could not be started (${npm.error.message}). Install Node.js with npm, then try again.`);
  if (npm.status !== 0) fail(`npm ci failed:\n${npm.stdout}${npm.stderr}`);
  mkdirSync(MODULES, { recursive: true });
  writeFileSync(STAMP, digest);
}

function installPrograms(programs) {
  const missing = [
    ...new Set(
      Object.keys(programs)
        .filter((name) => !isOnPath(name))
        .map((name) => programs[name]),
    ),
  ];
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (!isOnPath('apt-get')) fail(`these programs are missing: ${missing.join(', ')}. Install them, then try again.`);
  if (!isRoot()) fail(`these programs are missing: ${missing.join(', ')}. Run:\n  sudo ${command}`);
  say(`installing ${missing.join(', ')} (${command}) ...`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (args) => spawnSync('apt-get', args, { env: environment, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const install = () => apt(command.split(' ').slice(1));
  let result = install();
  if (result.status !== 0) {
    apt(['update']);
    result = install();
  }
  if (result.status !== 0) fail(`apt-get failed:\n${result.stderr}\nRun it by hand: ${command}`);
}

/** Node 24 of the lockfile; else the one that runs this, when it is new enough. */
function findNode() {
  const own = join(MODULES, `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(own)) return own;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  return fail(
    `there is no packaged Node for ${process.platform} ${process.arch}: start Holdfast with Node 24 or newer.`,
  );
}

function run(node, args) {
  // The channel carries nothing: its end tells the child that this process is gone, even by SIGKILL, and that it should stop, too.
  const child = spawn(node, [...NODE_FLAGS, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`${node} could not be started: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
}

const [name = 'help', ...rest] = process.argv.slice(2);
const script = Object.hasOwn(SCRIPTS, name) ? SCRIPTS[name] : undefined;
installPackages();
if (script) installPrograms(script.programs);
run(findNode(), [join(ROOT, script?.file ?? 'src/cli.ts'), ...(script ? rest : [name, ...rest])]);
