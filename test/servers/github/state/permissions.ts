import type { Account, PermissionLevel, Repository, Role } from './model.ts';

const ROLES: readonly Role[] = ['none', 'read', 'triage', 'write', 'maintain', 'admin'];
const LEVELS: readonly (PermissionLevel | 'none')[] = ['none', 'read', 'write', 'admin'];

export function atLeast(role: Role, wanted: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(wanted);
}

export function levelAtLeast(level: PermissionLevel | undefined, wanted: PermissionLevel): boolean {
  return LEVELS.indexOf(level ?? 'none') >= LEVELS.indexOf(wanted);
}

function highest(roles: readonly Role[]): Role {
  return ROLES[Math.max(0, ...roles.map((role) => ROLES.indexOf(role)))] ?? 'none';
}

/** The highest of all grants: ownership, direct collaborator, teams, and read of what is public. */
export function roleOf(repository: Repository, account: Account | undefined): Role {
  const grants: Role[] = [repository.private ? 'none' : 'read'];
  if (account === undefined) return highest(grants);
  if (repository.owner.id === account.id) return 'admin';
  grants.push(repository.roles.get(account.id) ?? 'none');
  for (const { team, role } of repository.teamRoles) if (team.members.get(account.id) === 'active') grants.push(role);
  return highest(grants);
}

/** The legacy four words of the permission endpoint: maintain reads as write, triage as read. */
export function legacyPermission(role: Role): 'admin' | 'write' | 'read' | 'none' {
  if (role === 'maintain') return 'write';
  if (role === 'triage') return 'read';
  return role;
}
