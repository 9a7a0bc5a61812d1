import type { FastifyReply, FastifyRequest } from 'fastify';
import type { SessionStore } from '../ports/session-store.ts';
import type { AccessToken, Session } from './access-token.ts';
import { LoginAttempts } from './login-attempts.ts';
import { clientAddress } from './request-fields.ts';

export interface PageAccessOptions {
  readonly token: AccessToken;
  readonly sessions: SessionStore;
  readonly publicUrl: () => string;
  readonly now: () => Date;
}

export type Admission = 'admitted' | 'stranger' | { readonly waitSeconds: number };

/** Who may see the pages: a browser by its session cookie, a program by `Authorization: Bearer` with the token itself. */
export class PageAccess {
  readonly #token: AccessToken;
  readonly #sessions: SessionStore;
  readonly #publicUrl: () => string;
  readonly #attempts: LoginAttempts;

  constructor({ token, sessions, publicUrl, now }: PageAccessOptions) {
    this.#token = token;
    this.#sessions = sessions;
    this.#publicUrl = publicUrl;
    this.#attempts = new LoginAttempts(now);
  }

  async admit(request: FastifyRequest): Promise<Admission> {
    const candidate = bearer(request);
    if (candidate !== undefined) return this.#check(request, candidate);
    const session = this.#session(request);
    return session === undefined || (await this.#sessions.isEnded(session.id)) ? 'stranger' : 'admitted';
  }

  /** Trades the token for a session cookie. */
  logIn(request: FastifyRequest, reply: FastifyReply, candidate: string): Admission {
    const admission = this.#check(request, candidate);
    if (admission === 'admitted') {
      const { value, maxAgeSeconds } = this.#token.createSession();
      void reply.setCookie(this.#cookieName(), value, { ...this.#cookieOptions(), maxAge: maxAgeSeconds });
    }
    return admission;
  }

  /** Whoever has a copy of the cookie is logged out as well. */
  async logOut(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const session = this.#session(request);
    if (session !== undefined) await this.#sessions.end(session.id, session.expiresAt);
    void reply.clearCookie(this.#cookieName(), this.#cookieOptions());
  }

  /** For the forms of this visitor's pages; empty for a program, which needs none. */
  csrfToken(request: FastifyRequest): string {
    const session = this.#session(request);
    return session === undefined ? '' : this.#token.csrfToken(session.value);
  }

  /** A browser sends cookies along with forms of other sites, so a form must prove that it is ours; a program's header is proof. */
  mayChange(request: FastifyRequest, csrf: string): boolean {
    const session = this.#session(request);
    if (bearer(request) !== undefined) return true;
    return session !== undefined && this.#token.isCsrfToken(session.value, csrf);
  }

  #check(request: FastifyRequest, candidate: string): Admission {
    const address = clientAddress(request);
    const waitSeconds = this.#attempts.waitSeconds(address);
    if (waitSeconds !== undefined) return { waitSeconds };
    if (this.#token.matches(candidate)) return 'admitted';
    this.#attempts.countWrong(address);
    return 'stranger';
  }

  #session(request: FastifyRequest): Session | undefined {
    return this.#token.readSession(request.cookies[this.#cookieName()]);
  }

  /** With the prefix, browsers take the cookie over TLS only and from no other host of the domain (RFC 6265bis, section 4.1.3.2). */
  #cookieName(): string {
    return this.#isSecure() ? '__Host-holdfast' : 'holdfast';
  }

  /**
   * `lax`, not `strict`: people come by links on the VCS host, and a strict cookie would not be sent with those. Everything
   * that changes something is a POST, for which `lax` is as good, and needs the form's own token besides.
   */
  #cookieOptions() {
    return { path: '/', httpOnly: true, sameSite: 'lax', secure: this.#isSecure() } as const;
  }

  #isSecure(): boolean {
    return this.#publicUrl().startsWith('https:');
  }
}

/** What stands after `Bearer` in the Authorization header. */
export function bearer(request: FastifyRequest): string | undefined {
  const header = request.headers.authorization;
  return header === undefined ? undefined : (/^Bearer +(\S+) *$/i.exec(header)?.[1] ?? '');
}
