/** How people address a project: its title, and what is put into commands. */
export interface ProjectRef {
  readonly title: string;
  readonly dir: string;
  readonly workspace: string;
  readonly name: string | undefined;
}

export interface ConfigProblem {
  readonly file: string;
  readonly line: number | undefined;
  readonly message: string;
  readonly suggestion: string | undefined;
}

/** One thing that stands between now and an apply, and how to get it out of the way. `project`: only there; undefined: everywhere. */
export interface UnmetRequirement {
  readonly project: string | undefined;
  readonly what: string;
  readonly next: string;
}

/** Projects that an apply was asked for, too, and that are no part of it. */
export interface LeftOut {
  /** Why each is not applied, and what to do about it. */
  readonly unmet: readonly UnmetRequirement[];
  /** Titles of projects in which nothing was left to do. */
  readonly applied: readonly string[];
  readonly unchanged: readonly string[];
}

/** `undefined`: not in that plan. */
export interface PlanDifference {
  readonly address: string;
  readonly approved: string | undefined;
  readonly now: string | undefined;
}

export type CommandName = 'plan' | 'apply' | 'unlock' | 'cancel' | 'version' | 'help';

/** An answer to people, as data: decided here, rendered by `comments`, posted once as a new comment. */
export type CommandReply =
  /** `command`: the usage of that one only. */
  | {
      readonly kind: 'help';
      readonly allowed: readonly CommandName[];
      readonly docsUrl: string | undefined;
      readonly command?: CommandName;
    }
  /** The gate said no: all unmet requirements at once. */
  | {
      readonly kind: 'refused';
      readonly command: string;
      readonly actor: string;
      readonly unmet: readonly UnmetRequirement[];
      /** Of an apply: where nothing was left to do. */
      readonly settled?: Pick<LeftOut, 'applied' | 'unchanged'>;
    }
  /** The command could not be read; `usage` shows one command's help. */
  | {
      readonly kind: 'unreadable';
      readonly command: string;
      readonly problem: string;
      readonly didYouMean: string | undefined;
      readonly usage: CommandName | undefined;
    }
  /** Understood, but there is nothing to do, or it failed before a run was made. */
  | {
      readonly kind: 'nothing_done';
      readonly command: string;
      readonly reason: string;
      readonly next: string | undefined;
    }
  | {
      readonly kind: 'version';
      readonly holdfast: string;
      readonly projects: readonly {
        readonly title: string;
        readonly version: string;
        readonly problem: string | undefined;
      }[];
    }
  | {
      readonly kind: 'unlocked';
      readonly actor: string;
      readonly projects: readonly {
        readonly title: string;
        readonly planDiscarded: boolean;
        readonly next: number | undefined;
      }[];
      /** Applies that were interrupted here: their outcome is unknown and unlocking does not change that. */
      readonly interrupted: readonly string[];
    }
  | {
      readonly kind: 'cancelled';
      readonly actor: string;
      /** Were running and were asked to stop. */
      readonly stopping: readonly string[];
      /** Never started. */
      readonly dropped: readonly string[];
    }
  /** The lock came to this pull request. */
  | {
      readonly kind: 'lock_received';
      readonly projects: readonly string[];
      readonly from: { readonly pullNumber: number; readonly url: string };
      readonly planning: boolean;
    }
  | { readonly kind: 'config_problems'; readonly problems: readonly ConfigProblem[] }
  /** Found after a worker died. */
  | {
      readonly kind: 'interrupted_apply';
      readonly projects: readonly (ProjectRef & {
        /** ISO 8601. */
        readonly startedAt: string;
        readonly erroredStateUrl: string | undefined;
        readonly url: string | undefined;
      })[];
    }
  | {
      readonly kind: 'closed';
      readonly merged: boolean;
      readonly unlocked: readonly string[];
      readonly unapplied: readonly string[];
    };
