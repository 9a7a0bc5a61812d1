import type { Account } from '../pull-request.ts';
import type { CommandOutcome } from './decide-command.ts';
import type { DriftProject } from './drift-project.ts';

export interface ApprovalFacts {
  readonly fingerprint: string;
  readonly actor: Account;
  readonly now: Date;
  /** The trigger word. */
  readonly trigger: string;
}

/** What it means when somebody lets another person put a drift right. Whether they may is decided before, and again when it is put right. */
export function decideApproval(
  { project, state, approvals }: DriftProject,
  { fingerprint, actor, now, trigger }: ApprovalFacts,
): CommandOutcome {
  const known = state.drift?.fingerprint;
  if (known === undefined) return { kind: 'nothing_done', reason: 'No drift of it is known.', next: undefined };
  if (known !== fingerprint) {
    return {
      kind: 'nothing_done',
      reason: `The drift is another one now: ${known}.`,
      next: 'Read the report, which will show it in a moment, and approve that.',
    };
  }
  if (!project.applyRequirements.includes('approved')) {
    const next = `\`${trigger} apply\` puts it right.`;
    return { kind: 'nothing_done', reason: 'Here nobody needs the approval of another.', next };
  }
  const others = approvals.filter((one) => one.fingerprint === fingerprint && one.by.id !== actor.id);
  return {
    kind: 'done',
    decision: {
      changes: { approvals: [...others, { by: actor, fingerprint, at: now }] },
      report: false,
      audit: { actor: actor.login, event: 'approved', detail: { fingerprint } },
    },
    sentence: `Somebody else may put this drift right with \`${trigger} apply\`, for as long as it is this one.`,
  };
}
