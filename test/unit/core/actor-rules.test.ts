import { describe, expect, test } from 'vitest';
import { refuseActor } from '../../../src/core/actor-rules.ts';
import type { Permission } from '../../../src/core/pull-request.ts';
import { buildAccount } from '../../support/builders.ts';

const ALL: readonly Permission[] = ['none', 'read', 'triage', 'write', 'admin'];
const refused = (command: Parameters<typeof refuseActor>[0], permission: Permission, refusal?: string) =>
  refuseActor(command, buildAccount(), { permission, refusal }).map(({ what, next }) => `${what} -> ${next}`);

describe('who may', () => {
  test.each(['plan', 'version'] as const)('%s: who may triage or write', (command) => {
    expect(ALL.filter((permission) => refused(command, permission).length === 0)).toEqual(['triage', 'write', 'admin']);
    expect(refused(command, 'none')).toEqual([
      `ann has no permission on the repository, and \`${command}\` needs triage -> Ask somebody with triage permission.`,
    ]);
  });

  test.each(['apply', 'unlock', 'cancel'] as const)('%s: who may write', (command) => {
    expect(ALL.filter((permission) => refused(command, permission).length === 0)).toEqual(['write', 'admin']);
    expect(refused(command, 'triage')).toEqual([
      `ann has triage permission on the repository, and \`${command}\` needs write -> Ask somebody with write permission.`,
    ]);
  });

  test('is narrowed by the rules of the server, and both are said at once', () => {
    const team = 'here only members of acme/ops may `apply`';
    expect(refused('apply', 'admin', team)).toEqual([`${team} -> Ask somebody who may.`]);
    expect(refused('apply', 'read', team)).toHaveLength(2);
  });
});
