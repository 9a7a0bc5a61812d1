import type { NotificationPayload } from '../core/drift/receivers.ts';

export interface Notification {
  /** The same at every attempt, so that whoever is told twice can see it. */
  readonly id: string;
  /** When it was decided. */
  readonly at: Date;
  /** Where the pages tell of the project. */
  readonly pageUrl: string;
  readonly payload: NotificationPayload;
}

/** It did not arrive, or nobody knows whether it did. The message is for people and holds no secret. */
export class NotDeliveredError extends Error {
  /** As the receiver asked for. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, retryAfterMs?: number, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NotDeliveredError';
    this.retryAfterMs = retryAfterMs;
  }
}

/** Tells one receiver. */
export interface Notifier {
  /** Returns once the receiver has said that it has it. Throws NotDeliveredError. */
  send(notification: Notification): Promise<void>;
}
