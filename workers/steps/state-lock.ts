import type { Diagnostic } from '../../src/core/plan.ts';

/** Who holds a state lock, as far as Terraform's error tells the truth about it. */
export interface StateLock {
  /** The holder's lock id, for `terraform force-unlock`; undefined when the backend does not tell. */
  readonly holderId: string | undefined;
  /** `who@host` of the holder; undefined where the error names only the one who asked. */
  readonly holder: string | undefined;
  readonly operation: string | undefined;
  readonly since: string | undefined;
  /** For people. */
  readonly explanation: string;
}

/**
 * Reads Terraform's "Error acquiring the state lock". With the `http` and `pg` backends its "Lock Info" block describes the one who
 * *asked*, not the holder (`LockError.Info` is the requester's own info there), so nothing of the block is repeated for them; the
 * holder's id stands only in `already locked: ID=`.
 */
export function readStateLock(
  diagnostics: readonly Diagnostic[],
  backendType: string | undefined,
): StateLock | undefined {
  const found = diagnostics.find(({ summary }) => /Error acquiring the state lock/i.test(summary));
  if (found === undefined) return undefined;
  const aboutRequester = backendType === 'http' || backendType === 'pg' || /already locked( for|:)/i.test(found.detail);
  const info = (name: string) => (aboutRequester ? undefined : lockInfo(found.detail, name));
  const lock = {
    holderId: aboutRequester ? /already locked: ID=(\S+)/i.exec(found.detail)?.[1] : info('ID'),
    holder: info('Who'),
    operation: info('Operation')
      ?.replace(/^OperationType/, '')
      .toLowerCase(),
    since: info('Created'),
  };
  return { ...lock, explanation: explain(lock, found.detail) };
}

function lockInfo(detail: string, name: string): string | undefined {
  const value = new RegExp(`^\\s*${name}:\\s+(.+?)\\s*$`, 'm').exec(detail)?.[1];
  return value === undefined || value.startsWith('0001-01-01') ? undefined : value;
}

function explain(lock: Omit<StateLock, 'explanation'>, detail: string): string {
  const cause = /Error message: (.+)/.exec(detail)?.[1];
  if (!/lock|unavailable|PreconditionFailed|423|409/i.test(cause ?? 'lock')) {
    return `Terraform could not ask for the state lock: ${cause}.`;
  }
  const who = lock.holder === undefined ? 'somebody else' : lock.holder;
  const doing =
    lock.operation === undefined ? '' : ` for ${/^[aeiou]/.test(lock.operation) ? 'an' : 'a'} ${lock.operation}`;
  const since = lock.since === undefined ? '' : ` since ${lock.since}`;
  const silent = lock.holder === undefined ? ' This backend does not say who.' : '';
  const unlock =
    lock.holderId === undefined
      ? 'a person can free it with `terraform force-unlock`, once sure that nothing is running.'
      : `a person can free it with \`terraform force-unlock ${lock.holderId}\`, once sure that nothing is running.`;
  return `The state is locked by ${who}${doing}${since}.${silent} Wait until that is done, then try again. If it was killed, ${unlock}`;
}
