import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { type CommandOutcome, decideCommand, type RecordedCommand } from '../core/drift/decide-command.ts';
import { type DriftProject, NO_DECISION } from '../core/drift/drift-project.ts';
import type { StoredFindings } from '../core/drift/stored-findings.ts';
import type { ProjectKey } from '../core/project.ts';
import { driftContext } from '../core/sealed-contexts.ts';
import type { Seal } from '../lib/seal.ts';
import { stripControl } from '../lib/strip-control.ts';
import type { DriftOverview, ProjectOverview } from '../ports/drift-overview.ts';
import { configMasker } from './create-logger.ts';
import { reasonOf } from './doctor/finding.ts';
import { EXIT, exitCodeOf, nameOf, statusJson, statusLines } from './drift-status.ts';
import { type OpenedRecord, openRecord } from './open-record.ts';
import { readConfig } from './read-config.ts';

/** Which project is meant, as it was typed. */
export interface DriftPlace {
  /** `owner/name` or `host/owner/name`. */
  readonly repository: string | undefined;
  readonly dir: string | undefined;
  readonly workspace: string | undefined;
  readonly project: string | undefined;
}

interface Output {
  readonly json: boolean;
}

const AT_ONCE = 500;
/** Of names that are offered to somebody who was not clear. */
const OFFERED = 20;

/** Something to be told to the person, and no fault of the program. */
class RefusedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RefusedError';
  }
}

/** `holdfast drift status`: where projects stand. See `exitCodeOf` for how it ends. */
export async function driftStatus(place: DriftPlace, { json }: Output): Promise<void> {
  await withRecord('look', async ({ overview }) => {
    const found = (await listProjects(overview)).filter((page) => isMeant(page, place));
    if (found.length === 0) {
      throw new RefusedError('No such project is known. Projects are known once their branch was read.');
    }
    const now = new Date();
    if (json) print(JSON.stringify(found.map(statusJson), undefined, 2));
    else for (const page of found) for (const line of statusLines(page, now)) print(line);
    process.exitCode = exitCodeOf(found);
  });
}

/** What a person asks for on the command line means the same as on a drift report; whoever reaches the database may. */
export async function driftCommand(place: DriftPlace, command: RecordedCommand, { json }: Output): Promise<void> {
  await withRecord('change', async (record) => {
    const page = await findProject(record.overview, place);
    const outcome = await carryOut(record, page.project.key, command);
    const name = nameOf(page);
    if (json) print(JSON.stringify(outcomeJson(name, outcome)));
    if (outcome.kind === 'done') {
      if (!json) print(`${name}: ${outcome.sentence}`);
      return;
    }
    process.exitCode = EXIT.cannotTell;
    if (!json) throw new RefusedError([`${name}: ${outcome.reason}`, outcome.next ?? ''].join(' ').trim());
  });
}

async function withRecord(purpose: 'look' | 'change', work: (record: OpenedRecord) => Promise<void>): Promise<void> {
  const config = readConfig('look');
  await using opening = new AsyncDisposableStack();
  try {
    await work(await openRecord(opening, config, purpose));
  } catch (error) {
    process.stderr.write(`holdfast: ${configMasker(config).mask(stripControl(reasonOf(error)))}\n`);
    process.exitCode = EXIT.cannotTell;
  }
}

async function carryOut(
  { drift, seal }: OpenedRecord,
  key: ProjectKey,
  command: RecordedCommand,
): Promise<CommandOutcome> {
  const { username } = userInfo();
  const decided: CommandOutcome[] = [];
  await drift.change(key, (project) => {
    const outcome = decideCommand(project, command, {
      // With a space, so that nobody on the VCS host is mentioned by it.
      actor: { id: `command-line:${username}`, login: `${username} on the command line` },
      now: new Date(),
      ruleId: randomUUID(),
      stored: seal && openFindings(seal, project),
      seal: (findings) => sealWith(seal, project, findings),
    });
    decided.push(outcome);
    return outcome.kind === 'done' ? outcome.decision : NO_DECISION;
  });
  // A transaction may be tried again; what it decided last is what was recorded.
  const outcome = decided.at(-1);
  if (outcome === undefined) throw new RefusedError('The project is not known any more.');
  return outcome;
}

/** undefined as well when they cannot be opened here; what was decided then counts from the next check on. */
function openFindings(seal: Seal, { key, findings }: DriftProject): StoredFindings | undefined {
  if (findings === undefined) return undefined;
  try {
    return JSON.parse(seal.open(findings, driftContext(key)).toString('utf8')) as StoredFindings;
  } catch {
    return undefined;
  }
}

function sealWith(seal: Seal | undefined, { key }: DriftProject, findings: StoredFindings): Buffer {
  if (seal === undefined) throw new Error('there is no encryption key here');
  return seal.seal(JSON.stringify(findings), driftContext(key));
}

function outcomeJson(project: string, outcome: CommandOutcome): object {
  return outcome.kind === 'done'
    ? { project, done: true, sentence: outcome.sentence }
    : { project, done: false, sentence: outcome.reason, next: outcome.next ?? null };
}

async function findProject(overview: DriftOverview, place: DriftPlace): Promise<ProjectOverview> {
  const known = await listProjects(overview);
  const found = known.filter((page) => isMeant(page, place));
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  if (known.length === 0) throw new RefusedError('No project is known. They are known once their branch was read.');
  const offered = found.length > 0 ? found : known;
  const lines = offered.slice(0, OFFERED).map((page) => `  ${nameOf(page)}`);
  const more = offered.length > OFFERED ? [`  and ${offered.length - OFFERED} more`] : [];
  const reason = found.length > 0 ? `${found.length} projects are meant by that` : 'No such project is known';
  throw new RefusedError([`${reason}; say one of:`, ...lines, ...more].join('\n'));
}

async function listProjects(overview: DriftOverview): Promise<readonly ProjectOverview[]> {
  const all: ProjectOverview[] = [];
  for (;;) {
    const after = all.at(-1)?.project.key;
    const next = await overview.list({ limit: AT_ONCE, ...(after && { after }) });
    all.push(...next);
    if (next.length < AT_ONCE) return all;
  }
}

/** Hosts do not tell apart how a repository's name is capitalised. */
function isMeant({ project: { project }, repository }: ProjectOverview, place: DriftPlace): boolean {
  const fullName = `${repository.owner}/${repository.name}`.toLowerCase();
  const wanted = place.repository?.toLowerCase();
  const isRepository = wanted === undefined || wanted === fullName || wanted === `${repository.host}/${fullName}`;
  return (
    isRepository &&
    (place.dir === undefined || place.dir.replace(/(?<=.)\/+$/, '') === project.dir) &&
    (place.workspace === undefined || place.workspace === project.workspace) &&
    (place.project === undefined || place.project === project.name)
  );
}

/** Names are whatever a repository has: none may steer the terminal. */
function print(text: string): void {
  process.stdout.write(`${stripControl(text)}\n`);
}
