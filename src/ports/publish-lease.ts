/** What shows that something people see, such as a pull request, is with this publisher. */
export interface PublishLease<Id extends string = string> {
  readonly id: Id;
  readonly token: string;
}

/** One publisher at a time for each thing that people see; versions count what was wanted of it. */
export interface PublishLeases<Id extends string = string> {
  /** Prolongs it; false when it was given to another. */
  renew(lease: PublishLease<Id>, leaseMs: number): Promise<boolean>;
  /** Gives free whose publisher is dead: its lease ran out, its session is gone, or it is one of `isDeadOwner`. */
  recover(isDeadOwner?: (owner: string) => boolean): Promise<readonly Id[]>;
  /** Everything up to `version` is published; gives it free. Changes nothing when another has it. */
  close(lease: PublishLease<Id>, version: number | undefined): Promise<void>;
  /** Gives it free; what is left of `version` is due after this time, and unless more is wanted the sweep leaves it alone until then. */
  putOff(lease: PublishLease<Id>, version: number, dueInMs: number): Promise<void>;
  /** More is wanted than this version. */
  isWantedSince(id: Id, version: number): Promise<boolean>;
}
