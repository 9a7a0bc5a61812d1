import type { RemediationOrder } from '../../src/core/batch.ts';
import type { DriftProject } from '../../src/core/drift/drift-project.ts';
import type { Person, RemediationFacts } from '../../src/core/drift/remediation-gate.ts';
import type { StoredFindings } from '../../src/core/drift/stored-findings.ts';
import { projectTitle } from '../../src/core/project.ts';
import type { Account } from '../../src/core/pull-request.ts';
import type { Repository } from '../../src/core/repository.ts';
import { driftContext } from '../../src/core/sealed-contexts.ts';
import type { DriftProjectPage } from '../../src/ports/drift-store.ts';
import type { VcsHost } from '../../src/ports/vcs-host.ts';
import { readPermission } from '../check-permission.ts';
import type { WorkerContext } from '../context.ts';
import { repositoryName, rulesOf } from '../gather-pull-request.ts';
import { isAllowed } from '../open-pull-request.ts';

export interface RemediationRequest {
  readonly actor: Account;
  readonly order: RemediationOrder;
  /** What is there now, as far as it is known. */
  readonly seen: RemediationFacts['seen'];
  /** Why an apply would lose its state, or cannot be made here; undefined: it can. */
  readonly applyRefusal: string | undefined;
}

/** Everything the gate asks, from the host and the record, at this moment. */
export async function gatherRemediationFacts(
  context: WorkerContext,
  page: DriftProjectPage,
  { actor, order, seen, applyRefusal: refusal }: RemediationRequest,
): Promise<RemediationFacts> {
  const { project, repository: known } = page;
  const host = context.hosts.get(known.host);
  if (host === undefined) throw new Error(`there is no VCS host ${known.host} any more`);
  const repository = await host.getRepository(known);
  const blockers = await context.drift.findBlockers(project.key);
  const [first, ...others] = await readPeople(context, host, repository, [actor, ...approvers(project, actor)]);
  if (first === undefined) throw new Error('an actor has a permission, if only none');
  return {
    now: context.now(),
    title: projectTitle(project.project),
    trigger: context.config.triggers[0] ?? 'holdfast',
    actor: first,
    mode: project.settings.mode,
    listed: project.listed && !repository.archived && isAllowed(context, repositoryName(repository)),
    applicable:
      refusal === undefined
        ? { ok: true }
        : { ok: false, reason: refusal, next: 'Give it a backend that keeps its state, or ask the operator.' },
    requirements: project.project.applyRequirements,
    approvals: project.approvals.flatMap(({ by, fingerprint }) => {
      const person = others.find(({ account }) => account.id === by.id);
      return person === undefined ? [] : [{ by: person, fingerprint }];
    }),
    suspension: project.suspension,
    lock: blockers.lock,
    applying: blockers.applying,
    wanted: order.fingerprint === '' ? undefined : order.fingerprint,
    seen,
    destroys: order.destroys,
  };
}

function approvers({ approvals }: DriftProject, actor: Account): readonly Account[] {
  return approvals.map(({ by }) => by).filter(({ id }) => id !== actor.id);
}

async function readPeople(
  context: WorkerContext,
  host: VcsHost,
  repository: Repository,
  accounts: readonly Account[],
): Promise<readonly Person[]> {
  const rules = rulesOf(context, repository);
  return Promise.all(
    accounts.map(async (account) => ({
      account,
      ...(await readPermission(host, repository, rules, 'apply', account)),
    })),
  );
}

/** What the last check found; undefined when there is none, or it cannot be opened any more. */
export function openFindings({ seal }: Pick<WorkerContext, 'seal'>, project: DriftProject): StoredFindings | undefined {
  if (project.findings === undefined) return undefined;
  return JSON.parse(seal.open(project.findings, driftContext(project.key)).toString('utf8')) as StoredFindings;
}
