import type { DriftEvent } from '../core/drift/notifications.ts';
import type { NotificationPayload } from '../core/drift/receivers.ts';

/** One that is this worker's to send. */
export interface PendingNotification {
  readonly id: string;
  readonly payload: NotificationPayload;
  /** When it was decided. */
  readonly createdAt: Date;
  /** This one included; one that a worker died with counts as well. */
  readonly attempts: number;
}

/** One as the delivery log has it. */
export interface NotificationRecord {
  readonly id: string;
  readonly receiver: string;
  readonly event: DriftEvent;
  readonly payload: NotificationPayload;
  readonly state: 'wanted' | 'sent' | 'given_up';
  readonly attempts: number;
  /** Of one that is wanted: when it is tried next. */
  readonly dueAt: Date;
  /** How the last attempt failed; undefined: none has. */
  readonly error: string | undefined;
  readonly createdAt: Date;
  readonly sentAt: Date | undefined;
}

/**
 * The outbox of notifications, and the log of their delivery. At least once: a worker that dies between sending and saving leaves one
 * that is sent again, with the same id. What is told of one project reaches a receiver in its order, unless something is given up.
 */
export interface NotificationStore {
  /** Names of receivers for whom something is due. */
  listDueReceivers(): Promise<readonly string[]>;
  /** Takes the oldest for this long, milliseconds; nobody else is given them meanwhile, nor what follows on them. */
  claim(receiver: string, limit: number, holdMs: number): Promise<readonly PendingNotification[]>;
  saveSent(id: string): Promise<void>;
  /** Tries again after this long, milliseconds. */
  retry(id: string, error: string, afterMs: number): Promise<void>;
  giveUp(id: string, error: string): Promise<void>;
  /** Claimed and not tried: they wait as long. */
  release(ids: readonly string[], afterMs: number): Promise<void>;
  /** Newest first. */
  list(filter: {
    readonly state?: NotificationRecord['state'];
    readonly limit: number;
    /** Only those that come after this one in the list. */
    readonly after?: string;
  }): Promise<readonly NotificationRecord[]>;
  countByState(): Promise<Readonly<Record<NotificationRecord['state'], number>>>;
}
