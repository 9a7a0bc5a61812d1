/** Why a call to a VCS host failed, in the words of the part that has to decide what to do next. */

/**
 * The host could not be asked: no connection, a time-out, a 5xx, or a limit on requests. Nothing is known of the
 * effect of a write that ended so. Worth trying again, not before `retryAt`.
 */
export class HostUnavailableError extends Error {
  readonly retryAt: Date;

  constructor(message: string, retryAt: Date, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HostUnavailableError';
    this.retryAt = retryAt;
  }
}

export interface HostRefusal {
  /** The HTTP status of the answer; undefined when it was refused before it was sent. */
  readonly status: number | undefined;
  /** What the credential lacks, when the host says, in the host's words (`issues=write`). */
  readonly neededPermission?: string | undefined;
}

/** The host understood and said no (403 permission, 404, 422 ...). The same call will be refused again until somebody changes something. */
export class HostRefusedError extends Error {
  readonly status: number | undefined;
  readonly neededPermission: string | undefined;

  constructor(message: string, refusal: HostRefusal, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HostRefusedError';
    this.status = refusal.status;
    this.neededPermission = refusal.neededPermission;
  }
}

/** A delivery with a good signature whose payload lacks what its event must have. Handling it again will not help. */
export class InvalidDeliveryError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'InvalidDeliveryError';
  }
}
