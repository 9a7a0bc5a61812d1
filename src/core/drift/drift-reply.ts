import type { UnmetRequirement } from '../reply.ts';
import type { DriftCommandName } from './drift-command.ts';

/** A comment of ours on a drift report, as data: decided here, rendered by `comments`, posted once. `command` is what the person typed. */
export type DriftReply =
  /** `command`: the usage of that one only. */
  | { readonly kind: 'help'; readonly command: DriftCommandName | undefined }
  /** The command could not be read; `usage` shows one command's help. */
  | {
      readonly kind: 'unreadable';
      readonly command: string;
      readonly problem: string;
      readonly didYouMean: string | undefined;
      readonly usage: DriftCommandName | undefined;
    }
  /** Something stands in the way: all of it at once. */
  | {
      readonly kind: 'refused';
      readonly command: string;
      readonly actor: string;
      readonly unmet: readonly UnmetRequirement[];
    }
  /** Understood, and nothing was done. */
  | {
      readonly kind: 'nothing_done';
      readonly command: string;
      readonly reason: string;
      readonly next: string | undefined;
    }
  /** Done. `sentence` may hold what people wrote. */
  | { readonly kind: 'done'; readonly command: string; readonly sentence: string }
  /** What came of putting the drift right; posted when that run has ended. */
  | { readonly kind: 'remediation'; readonly runId: string }
  /** Why a report was closed or reopened, in sentences that may hold what people wrote. */
  | { readonly kind: 'notice'; readonly sentence: string };
