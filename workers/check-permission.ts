import { type ActorPermission, isStranger } from '../src/core/actor-rules.ts';
import type { Account } from '../src/core/pull-request.ts';
import type { PermittedCommand, RepositoryRules } from '../src/core/repository-rules.ts';
import type { RepositoryRef } from '../src/core/repository.ts';
import type { VcsHost } from '../src/ports/vcs-host.ts';

/** What an actor may, read afresh: the permission on the repository, and the teams that the server's rules ask for. */
export async function readPermission(
  host: VcsHost,
  repository: RepositoryRef,
  rules: RepositoryRules,
  command: PermittedCommand,
  actor: Account,
): Promise<ActorPermission> {
  const permission = await host.getPermission(repository, actor);
  // Teams only narrow what a person may, so of a stranger's nobody need be asked.
  if (isStranger(permission)) return { permission, refusal: undefined };
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
