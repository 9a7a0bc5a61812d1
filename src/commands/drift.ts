import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { createDriftStore } from '../adapters/postgres/drift/drift-store.ts';
import { readInstallationSecrets } from '../config/installation.ts';
import { decideCommand, type RecordedCommand } from '../core/drift/decide-command.ts';
import { addressTo } from '../core/drift/receivers.ts';
import { standingOf } from '../core/drift/standing.ts';
import type { StoredFindings } from '../core/drift/stored-findings.ts';
import { projectTitle } from '../core/project.ts';
import { driftContext } from '../core/sealed-contexts.ts';
import { createSeal, type Seal } from '../lib/seal.ts';
import type { DriftProjectPage, DriftStore } from '../ports/drift-store.ts';
import type { Logger } from '../ports/logger.ts';
import { openDatabase } from './doctor/open-database.ts';
import { readConfig } from './read-config.ts';

/** Which project is meant, as it was typed. */
export interface DriftPlace {
  /** `owner/name` or `host/owner/name`. */
  readonly repository: string | undefined;
  readonly dir: string | undefined;
  readonly workspace: string | undefined;
  readonly project: string | undefined;
}

const AT_ONCE = 500;
/** What scripts ask: 0 for no drift, 2 for drift, as `terraform plan -detailed-exitcode` has it; 1 when it cannot be told. */
const EXIT_DRIFT = 2;
const EXIT_ERROR = 1;

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

interface Opened {
  readonly drift: DriftStore;
  readonly seal: Seal;
}

/** Opens the record as the server does, beside one that is running. */
async function withDrift(work: (opened: Opened) => Promise<void>): Promise<void> {
  const config = readConfig('look');
  await using opening = new AsyncDisposableStack();
  const { db } = await openDatabase(opening, config, silent, 'change');
  const { encryptionKeys } = await readInstallationSecrets(config);
  await work({ drift: createDriftStore(db, addressTo(config.notifications)), seal: createSeal(encryptionKeys) });
}

/** `holdfast drift status`: where projects stand. */
export async function driftStatus(place: DriftPlace, { json }: { readonly json: boolean }): Promise<void> {
  await withDrift(async ({ drift }) => {
    const found = (await listProjects(drift)).filter((page) => isMeant(page, place));
    if (found.length === 0) return fail('No such project is known. Projects are known once their branch was read.');
    if (json) print(JSON.stringify(found.map(toJson), undefined, 2));
    else for (const page of found) print(statusLine(page));
    const drifting = found.some(({ project }) => project.state.drift !== undefined);
    process.exitCode = drifting ? EXIT_DRIFT : 0;
  });
}

/** What a person asks for on the command line means the same as on a drift issue. */
export async function driftCommand(place: DriftPlace, command: RecordedCommand): Promise<void> {
  await withDrift(async (opened) => {
    const page = await findProject(opened.drift, place);
    if (page !== undefined) await carryOut(opened, page, command);
  });
}

async function carryOut(
  { drift, seal }: Opened,
  { project }: DriftProjectPage,
  command: RecordedCommand,
): Promise<void> {
  const { username } = userInfo();
  let said: string | undefined;
  let refused: string | undefined;
  await drift.change(project.key, (now) => {
    const outcome = decideCommand(now, command, {
      actor: { id: `cli:${username}`, login: username },
      now: new Date(),
      ruleId: randomUUID(),
      stored: openFindings(seal, now.key, now.findings),
      seal: (findings) => seal.seal(JSON.stringify(findings), driftContext(now.key)),
    });
    if (outcome.kind === 'done') {
      said = outcome.sentence;
      return outcome.decision;
    }
    refused = [outcome.reason, outcome.next ?? ''].join(' ').trim();
    return { changes: {}, report: false };
  });
  if (refused !== undefined) return fail(`${projectTitle(project.project)}: ${refused}`);
  print(`${projectTitle(project.project)}: ${said ?? ''}`);
}

function openFindings(seal: Seal, key: string, sealed: Buffer | undefined): StoredFindings | undefined {
  return sealed && (JSON.parse(seal.open(sealed, driftContext(key)).toString('utf8')) as StoredFindings);
}

async function findProject(drift: DriftStore, place: DriftPlace): Promise<DriftProjectPage | undefined> {
  const known = await listProjects(drift);
  const found = known.filter((page) => isMeant(page, place));
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  const listed = (found.length > 0 ? found : known).slice(0, 20).map((page) => `  ${nameOf(page)}`);
  const reason = found.length > 0 ? 'Several projects are meant by that' : 'No such project is known';
  fail([`${reason}; name one of:`, ...listed].join('\n'));
  return undefined;
}

async function listProjects(drift: DriftStore): Promise<readonly DriftProjectPage[]> {
  const all: DriftProjectPage[] = [];
  for (;;) {
    const after = all.at(-1)?.project.key;
    const next = await drift.list({ limit: AT_ONCE, ...(after && { after }) });
    all.push(...next);
    if (next.length < AT_ONCE) return all;
  }
}

function isMeant({ project: { project }, repository }: DriftProjectPage, place: DriftPlace): boolean {
  const fullName = `${repository.owner}/${repository.name}`.toLowerCase();
  const wanted = place.repository?.toLowerCase();
  const isRepository = wanted === undefined || wanted === fullName || wanted === `${repository.host}/${fullName}`;
  return (
    isRepository &&
    (place.dir === undefined || place.dir === project.dir) &&
    (place.workspace === undefined || place.workspace === project.workspace) &&
    (place.project === undefined || place.project === project.name)
  );
}

function nameOf({ project: { project }, repository }: DriftProjectPage): string {
  const name = project.name === undefined ? '' : ` -p ${project.name}`;
  return `${repository.owner}/${repository.name} ${project.dir} -w ${project.workspace}${name}`;
}

function statusLine(page: DriftProjectPage): string {
  const { project } = page;
  const checked =
    project.lastSuccessAt === undefined ? 'never checked' : `checked ${project.lastSuccessAt.toISOString()}`;
  const skip = project.skip === undefined ? '' : `; ${project.skip.sentence}`;
  const fingerprint = project.state.drift === undefined ? '' : ` ${project.state.drift.fingerprint}`;
  return `${nameOf(page)}: ${standingOf(project)}${fingerprint} (${checked}${skip})`;
}

function toJson({ project, repository, branch }: DriftProjectPage): object {
  const { dir, workspace, name } = project.project;
  return {
    repository: `${repository.host}/${repository.owner}/${repository.name}`,
    branch,
    dir,
    workspace,
    name,
    standing: standingOf(project),
    sync: project.sync,
    fingerprint: project.state.drift?.fingerprint,
    lastSuccessAt: project.lastSuccessAt,
    dueAt: project.due.dueAt,
    skip: project.skip,
    suspension: project.suspension,
  };
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function fail(text: string): void {
  process.stderr.write(`holdfast: ${text}\n`);
  process.exitCode = EXIT_ERROR;
}
