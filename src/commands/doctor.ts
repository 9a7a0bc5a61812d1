import { readFileSync } from 'node:fs';
import { type LoadedServerConfig, loadServerConfig } from '../config/load-server-config.ts';
import type { ServerConfig } from '../config/server-config.ts';
import { openHosts } from '../infrastructure.ts';
import type { Logger } from '../ports/logger.ts';
import { configMasker } from './create-logger.ts';
import { checkDatabase } from './doctor/check-database.ts';
import { checkDataDirectory } from './doctor/check-data-directory.ts';
import { checkEncryptionKey } from './doctor/check-encryption-key.ts';
import { checkHost } from './doctor/check-host.ts';
import { checkQueue } from './doctor/check-queue.ts';
import { checkSandbox } from './doctor/check-sandbox.ts';
import { checkTools } from './doctor/check-tools.ts';
import { type Finding, good, note, problem, reasonOf } from './doctor/finding.ts';
import { type OpenedDatabase, openDatabase } from './doctor/open-database.ts';
import { isSuperuser, problemLine } from './read-config.ts';

const SIGNS: Readonly<Record<Finding['level'], string>> = { good: '✓', note: '!', problem: '✗' };

/** What is found is told to people; nothing is logged beside it. */
const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

/**
 * Looks at everything a run needs, and says how to mend what is missing; the exit code is 1 when something is. It may be used
 * beside a Holdfast that is running on the same data directory, and with a config that has problems.
 */
export async function doctor(): Promise<void> {
  const served = load(process.env, 'serve');
  const complete = 'problems' in served ? served.problems : [];
  const found = 'config' in served ? served : load(process.env, 'look');
  const { config, usable } =
    'config' in found ? { config: found.config, usable: true } : { config: defaults(), usable: false };
  const report = new Report((text) => configMasker(config).mask(text));
  report.tell('config', [
    ...complete.map((one) => problem(problemLine(one))),
    ...served.warnings.map((one) => note(problemLine(one))),
    ...(complete.length === 0 ? [good('every key is understood')] : []),
  ]);
  await report.look('programs', () => checkTools(config, process.env['PATH'] ?? ''));
  await report.look('sandbox', () => checkSandbox(config));
  if (usable) await lookAtInstallation(config, report);
  else report.tell('the rest', [note('was not looked at, since the config cannot be used', 'Mend it, and ask again.')]);
  process.exitCode = report.end();
}

async function lookAtInstallation(config: ServerConfig, report: Report): Promise<void> {
  await report.look('data directory', () => checkDataDirectory(config, isSuperuser()));
  await using opening = new AsyncDisposableStack();
  let database: OpenedDatabase | undefined;
  await report.look('database', async () => {
    const opened = await openDatabase(opening, config, silent);
    const findings = await checkDatabase(opened);
    database = opened;
    return findings;
  });
  await report.look('encryption', () => checkEncryptionKey(config, database));
  await report.look('queue', () => checkQueue(config));
  for (const host of openHosts(config, silent).values()) {
    await report.look('VCS host', () => checkHost(config, host, database));
  }
}

function load(environment: NodeJS.ProcessEnv, purpose: 'serve' | 'look'): LoadedServerConfig {
  return loadServerConfig(environment, {
    readFile: (path) => readFileSync(path, 'utf8'),
    workingDirectory: process.cwd(),
    superuser: isSuperuser(),
    purpose,
  });
}

/** What a machine is asked for when nothing is configured. */
function defaults(): ServerConfig {
  const { HOME = '/' } = process.env;
  const loaded = load({ HOME }, 'look');
  if ('config' in loaded) return loaded.config;
  throw new Error(`the defaults have problems: ${loaded.problems.map(problemLine).join('; ')}`);
}

/** Prints findings as they come, in groups. */
class Report {
  readonly #mask: (text: string) => string;
  #problems = 0;

  constructor(mask: (text: string) => string) {
    this.#mask = mask;
  }

  /** What a check throws is a problem as well. */
  async look(title: string, check: () => Promise<readonly Finding[]>): Promise<void> {
    const findings = await check().catch((error: unknown) => [problem(reasonOf(error))]);
    this.tell(title, findings);
  }

  tell(title: string, findings: readonly Finding[]): void {
    this.#problems += findings.filter(({ level }) => level === 'problem').length;
    this.#print(title);
    for (const { level, text, mend } of findings) {
      this.#print(`  ${SIGNS[level]} ${indent(text)}`);
      if (mend !== undefined) this.#print(`    → ${indent(mend)}`);
    }
  }

  /** The exit code. */
  end(): number {
    const count = this.#problems;
    this.#print(count === 0 ? 'Nothing is missing.' : `${count} ${count === 1 ? 'problem' : 'problems'} to mend.`);
    return count === 0 ? 0 : 1;
  }

  #print(text: string): void {
    process.stdout.write(`${this.#mask(text)}\n`);
  }
}

function indent(text: string): string {
  return text.trim().split('\n').join('\n      ');
}
