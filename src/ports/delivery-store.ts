/** Holdfast's own deliveries go the same way as a host's, and are stored under this name in place of one. */
export const OWN_DELIVERIES = 'holdfast';

/** `received`: stored, not handled yet. `failed`: every attempt failed; a redelivery with the same id may be handled again. */
export interface StoredDelivery {
  readonly host: string;
  readonly id: string;
  readonly event: string;
  readonly action: string | undefined;
  readonly repository: string | undefined;
  readonly payload: string;
  readonly state: 'received' | 'handled' | 'failed';
  readonly attempts: number;
  readonly receivedAt: Date;
}

/** Everything that was delivered, written durably before the host is answered. */
export interface DeliveryStore {
  /** Answers `stored` for a new delivery and for one that failed before, `repeated` for one that is known: that one changes nothing. */
  receive(
    delivery: Pick<StoredDelivery, 'host' | 'id' | 'event' | 'action' | 'repository' | 'payload'>,
  ): Promise<'stored' | 'repeated'>;
  find(host: string, id: string): Promise<StoredDelivery | undefined>;
  markHandled(host: string, id: string): Promise<void>;
  /** Counts the attempt; `final` gives up until it is delivered again. Changes nothing once it is handled. */
  markFailed(host: string, id: string, error: string, final: boolean): Promise<void>;
  /** Not handled and older than this; for the sweep. */
  listUnhandled(
    receivedBefore: Date,
    limit: number,
  ): Promise<readonly { readonly host: string; readonly id: string }[]>;
  /** When the newest delivery of a host came; for `doctor`. */
  findLatest(host: string): Promise<Date | undefined>;
  /** Which of these the record has as handled or waiting. */
  findKnown(host: string, ids: readonly string[]): Promise<ReadonlySet<string>>;
}
