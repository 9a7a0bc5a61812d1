import { mayTriage, mayWrite } from '../src/core/apply-gate.ts';
import type { Account, Permission } from '../src/core/pull-request.ts';
import type { UnmetRequirement } from '../src/core/reply.ts';
import type { PermittedCommand, RepositoryRules } from '../src/core/repository-rules.ts';
import type { RepositoryRef } from '../src/core/repository.ts';
import type { VcsHost } from '../src/ports/vcs-host.ts';

export interface ActorPermission {
  readonly permission: Permission;
  /** The server's rules say no, though the permission would do. */
  readonly refusal: string | undefined;
}

/** What an actor may, read afresh: the permission on the repository, and the teams that the server's rules ask for. */
export async function readPermission(
  host: VcsHost,
  repository: RepositoryRef,
  rules: RepositoryRules,
  command: PermittedCommand,
  actor: Account,
): Promise<ActorPermission> {
  const permission = await host.getPermission(repository, actor);
  return { permission, refusal: await refuseByTeam(host, rules, command, actor) };
}

async function refuseByTeam(
  host: VcsHost,
  rules: RepositoryRules,
  command: PermittedCommand,
  actor: Account,
): Promise<string | undefined> {
  const teams = rules.permissions[command];
  if (teams === undefined) return undefined;
  for (const name of teams) {
    const [organisation = '', team = ''] = name.split('/');
    if (await host.isTeamMember(organisation, team, actor)) return undefined;
  }
  const list = teams.length === 0 ? 'nobody' : `members of ${teams.join(', ')}`;
  return `here only ${list} may \`${command}\`, and ${actor.login} is not among them`;
}

/** Why this command is refused to this person; empty when it is not. */
export function refuseCommand(
  command: PermittedCommand,
  actor: Account,
  { permission, refusal }: ActorPermission,
): readonly UnmetRequirement[] {
  const needed = command === 'plan' || command === 'version' ? 'triage' : 'write';
  const allowed = needed === 'triage' ? mayTriage(permission) : mayWrite(permission);
  const unmet: UnmetRequirement[] = [];
  if (!allowed) {
    const has = permission === 'none' ? 'no' : permission;
    unmet.push({
      project: undefined,
      what: `${actor.login} has ${has} permission on the repository, and \`${command}\` needs ${needed}`,
      next: `Ask somebody with ${needed} permission.`,
    });
  }
  if (refusal !== undefined) unmet.push({ project: undefined, what: refusal, next: 'Ask somebody who may.' });
  return unmet;
}
