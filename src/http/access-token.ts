import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../lib/secret.ts';

/** How long a login lasts, milliseconds. */
const SESSION_MS = 7 * 24 * 3600_000;

/** A login of one browser. The value proves it, the id alone does not. */
export interface Session {
  readonly value: string;
  readonly id: string;
  readonly expiresAt: Date;
}

/**
 * The one token that opens pages and metrics. A login turns it into a session cookie: an expiry, a random part and their HMAC, so that
 * none has to be stored and a new token ends every session. Comparisons take constant time.
 */
export class AccessToken {
  readonly #token: Secret;
  readonly #now: () => Date;

  constructor(token: Secret, now: () => Date) {
    this.#token = token;
    this.#now = now;
  }

  matches(candidate: string): boolean {
    return equal(this.#mac('token', candidate), this.#mac('token', this.#token.reveal()));
  }

  createSession(): { readonly value: string; readonly maxAgeSeconds: number } {
    const claim = `${this.#now().getTime() + SESSION_MS}-${randomBytes(12).toString('base64url')}`;
    return { value: `${claim}.${this.#mac('session', claim)}`, maxAgeSeconds: SESSION_MS / 1000 };
  }

  /** What a session's value names, when it is one of ours that has not expired. */
  readSession(value: string | undefined): Session | undefined {
    const [id = '', mac = '', ...rest] = value?.split('.') ?? [];
    const expires = /^(\d{1,16})-[\w-]{1,64}$/.exec(id)?.[1];
    if (value === undefined || expires === undefined || rest.length > 0) return undefined;
    if (Number(expires) <= this.#now().getTime() || !equal(mac, this.#mac('session', id))) return undefined;
    return { value, id, expiresAt: new Date(Number(expires)) };
  }

  /** Bound to the session: a form of one session is worth nothing in another. */
  csrfToken(session: string): string {
    return this.#mac('csrf', session);
  }

  isCsrfToken(session: string, candidate: string): boolean {
    return equal(candidate, this.csrfToken(session));
  }

  #mac(purpose: string, value: string): string {
    return createHmac('sha256', this.#token.reveal()).update(`${purpose}\0${value}`).digest('base64url');
  }
}

function equal(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
