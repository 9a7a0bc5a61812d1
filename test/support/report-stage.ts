import { randomBytes } from 'node:crypto';
import type { DriftDecision } from '../../src/core/drift/drift-project.ts';
import type { DriftState } from '../../src/core/drift/lifecycle.ts';
import type { StoredFindings } from '../../src/core/drift/stored-findings.ts';
import { HostRefusedError, HostUnavailableError } from '../../src/core/host-error.ts';
import type { Project } from '../../src/core/project.ts';
import type { DriftSettings } from '../../src/core/drift/settings.ts';
import { driftContext } from '../../src/core/sealed-contexts.ts';
import { createCounterStore } from '../../src/adapters/postgres/counter-store.ts';
import { createSeal } from '../../src/lib/seal.ts';
import { Secret } from '../../src/lib/secret.ts';
import type { Account, Permission } from '../../src/core/pull-request.ts';
import type { IssueChange, NewIssue } from '../../src/ports/vcs-issue.ts';
import { reportJob } from '../../workers/drift/report-job.ts';
import type { RunContext } from '../../workers/run-context.ts';
import { buildRepository, HEAD, keyOf } from './builders.ts';
import { buildBranchProject, buildStoredFindings, drifting } from './drift-builders.ts';
import { recordingLogger } from './recording-logger.ts';
import { createRecordStage } from './record-stage.ts';

export const REPOSITORY = buildRepository();
export const REPOSITORY_ID = 'github.com/42';

interface HostIssue extends NewIssue {
  readonly number: number;
  readonly url: string;
  state: 'open' | 'closed';
  reason: string | undefined;
  closedAt: Date | undefined;
  locked: boolean;
  away: 'gone' | 'moved' | 'disabled' | undefined;
  title: string;
  body: string;
  readonly comments: string[];
}

/** What goes wrong with the next call of this name: before it is done, or after. */
interface Fault {
  readonly call: string;
  readonly kind: 'refused' | 'unavailable' | 'lost';
  readonly status?: number;
}

/** Issues at a host, and what was asked of it; a call that is not about issues is a mistake. */
export function createIssueHost(now: () => Date) {
  const issues: HostIssue[] = [];
  const calls: string[] = [];
  const faults: Fault[] = [];
  let disabled = false;

  const fault = (call: string): Fault | undefined => {
    const at = faults.findIndex((one) => one.call === call);
    return at < 0 ? undefined : faults.splice(at, 1)[0];
  };
  const called = async <T>(call: string, detail: string, work: () => T): Promise<T> => {
    calls.push(`${call} ${detail}`.trimEnd());
    const found = fault(call);
    if (found?.kind === 'refused') throw new HostRefusedError('no', { status: found.status ?? 403 });
    if (found?.kind === 'unavailable') throw new HostUnavailableError('away', new Date(now().getTime() + 60_000));
    const result = work();
    if (found?.kind === 'lost') throw new HostUnavailableError('the answer was lost', now());
    return result;
  };
  const find = (number: number): HostIssue => {
    const issue = issues.find((one) => one.number === number);
    if (issue === undefined) throw new Error(`there never was an issue ${number}`);
    return issue;
  };
  const awayOf = ({ away }: HostIssue) => {
    if (away === 'moved') return { kind: 'moved' as const, to: { repositoryId: '99', number: 1 } };
    return away === undefined ? undefined : { kind: away };
  };
  const facts = ({ number, url, state, closedAt, locked, labels, assignees }: HostIssue) => ({
    number,
    url,
    state,
    closedAt,
    locked,
    labels,
    assignees,
  });

  /** What people may; the others may read. */
  const permissions = new Map<string, Permission>();
  const host = {
    host: 'github.com',
    whoAmI: async () => ({ id: 'bot', login: 'holdfast-bot' }),
    getRepository: async () => REPOSITORY,
    getPermission: async (_: object, { login }: Account): Promise<Permission> => permissions.get(login) ?? 'read',
    isTeamMember: async () => false,
    limits: {
      commentLength: 65_536,
      issueTitleLength: 256,
      issueBodyLength: 65_536,
      labelLength: 50,
      issueAssignees: 10,
    },
    createIssue: (_: object, issue: NewIssue) =>
      called('open', '', () => {
        if (disabled) return { kind: 'disabled' };
        const number = issues.length + 1;
        const url = `https://github.com/acme/infra/issues/${number}`;
        const fresh = {
          state: 'open',
          reason: undefined,
          closedAt: undefined,
          locked: false,
          away: undefined,
        } as const;
        issues.push({ ...issue, ...fresh, number, url, comments: [] });
        return { kind: 'created', number, url, unassigned: [] };
      }),
    getIssue: (_: object, number: number) =>
      called('look', String(number), () => awayOf(find(number)) ?? { kind: 'found', issue: facts(find(number)) }),
    updateIssue: (_: object, number: number, { state, ...change }: IssueChange) =>
      called(state === undefined ? 'edit' : state === 'open' ? 'reopen' : 'close', String(number), () => {
        const issue = find(number);
        const away = awayOf(issue);
        if (away !== undefined) return away;
        Object.assign(issue, change);
        if (state !== undefined) {
          issue.state = state === 'open' ? 'open' : 'closed';
          issue.reason = state === 'open' ? undefined : state;
          issue.closedAt = state === 'open' ? undefined : now();
        }
        return { kind: 'updated', unassigned: [] };
      }),
    findOwnIssue: (_: object, marker: string) =>
      called('find', '', () => {
        const issue = issues.find((one) => one.away === undefined && one.body.startsWith(marker));
        return issue && facts(issue);
      }),
    createIssueComment: (_: object, number: number, body: string) =>
      called('say', String(number), () => {
        const issue = find(number);
        const away = awayOf(issue) ?? (issue.locked ? { kind: 'locked' } : undefined);
        if (away !== undefined) return away;
        issue.comments.push(body);
        return { kind: 'posted', comment: { id: `c${number}-${issue.comments.length}`, nodeId: '', url: '' } };
      }),
    findOwnComment: (_: object, number: number, marker: string) =>
      called('find comment', '', () => {
        const at = find(number).comments.findIndex((body) => body.startsWith(marker));
        return at < 0 ? undefined : { id: `c${number}-${at + 1}`, nodeId: '', url: '' };
      }),
    addReaction: (_: object, commentId: string, reaction: string) =>
      called('react', `${commentId} ${reaction}`, () => {}),
  };
  return {
    host,
    issues,
    faults,
    permissions,
    /** Without a word to us. */
    byPeople: (number: number, some: Partial<HostIssue>) => Object.assign(find(number), { closedAt: now(), ...some }),
    switchIssues: (on: boolean) => {
      disabled = !on;
    },
    /** What the host was asked since the last time. */
    asked: () => calls.splice(0),
  };
}

/** The reports of one repository, on a real database, with a host that remembers. */
export async function createReportStage() {
  const record = await createRecordStage();
  const seal = createSeal([new Secret(new Uint8Array(randomBytes(32)))]);
  let time = new Date('2026-11-21T12:00:00Z').getTime();
  const now = () => new Date(time);
  let host = createIssueHost(now);
  let files: Readonly<Record<string, string>> = {};
  const queued: string[] = [];
  const logger = recordingLogger();

  const context = () =>
    ({
      ...record,
      counters: createCounterStore(record.db),
      config: {
        triggers: ['holdfast'],
        repositories: ['github.com/acme/*'],
        repos: [],
        workflows: new Map(),
        permissions: {},
        drift: { defaults: {} },
      },
      logger,
      workerId: 'w',
      now,
      seal,
      hosts: new Map([['github.com', host.host]]),
      queue: {
        enqueue: async (name: string, payload: object) => void queued.push(`${name} ${JSON.stringify(payload)}`),
      },
      mirror: {
        has: async () => true,
        listFiles: async () => Object.keys(files).map((path) => ({ path })),
        readFiles: async (_: object, __: string, paths: readonly string[]) =>
          new Map(paths.flatMap((path) => (files[path] === undefined ? [] : [[path, files[path]] as const]))),
      },
      publicUrl: 'https://holdfast.example',
    }) as unknown as RunContext;

  const begin = async (
    projects: readonly (string | { dir: string; project?: Partial<Project>; settings?: Partial<DriftSettings> })[] = [
      'prod',
    ],
  ): Promise<void> => {
    const all = projects.map((one) =>
      typeof one === 'string' ? buildBranchProject(one) : buildBranchProject(one.dir, one),
    );
    await record.drift.syncProjects(REPOSITORY_ID, { tip: HEAD, settingsDigest: 's', projects: all }, now());
  };

  return {
    record,
    context,
    now,
    queued,
    logger,
    get host() {
      return host;
    },
    forget: async (): Promise<void> => {
      await record.forget();
      host = createIssueHost(now);
      files = {};
      queued.length = 0;
      await record.pulls.saveRepository(REPOSITORY);
      await record.drift.track(REPOSITORY, 'main');
    },
    wait: (ms: number): void => {
      time += ms;
    },
    writeFiles: (some: Readonly<Record<string, string>>): void => {
      files = some;
    },
    begin,
    /** What the next check of the project comes to. */
    set: (dir: string, state: DriftState = drifting(), stored: StoredFindings = buildStoredFindings()) =>
      record.drift.change(keyOf(dir), ({ key }) => ({
        changes: { state, findings: seal.seal(JSON.stringify(stored), driftContext(key)) },
        report: true,
      })),
    change: (dir: string, changes: DriftDecision['changes']) =>
      record.drift.change(keyOf(dir), () => ({ changes, report: true })),
    /** As the queue does it; answers what the host was asked. */
    report: async (): Promise<readonly string[]> => {
      await record.reports.want(REPOSITORY_ID);
      host.asked();
      await reportJob(context(), REPOSITORY_ID);
      return host.asked();
    },
  };
}

export type ReportStage = Awaited<ReturnType<typeof createReportStage>>;
