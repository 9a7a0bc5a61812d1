import type { Account, Permission } from './pull-request.ts';
import type { UnmetRequirement } from './reply.ts';
import type { PermittedCommand } from './repository-rules.ts';

export interface ActorPermission {
  readonly permission: Permission;
  /** The server's rules say no, though the permission would do. */
  readonly refusal: string | undefined;
}

/** Why a command is refused to a person; empty when it is not. */
export function refuseActor(
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

export function mayWrite(permission: Permission): boolean {
  return permission === 'write' || permission === 'admin';
}

/** Somebody without a say: may read at most, as anybody may in a public repository. */
export function isStranger(permission: Permission): boolean {
  return !mayTriage(permission);
}

function mayTriage(permission: Permission): boolean {
  return permission === 'triage' || mayWrite(permission);
}
