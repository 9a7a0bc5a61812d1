/** Logins that were ended before they expire. A login itself is nowhere stored: it proves itself. */
export interface SessionStore {
  /** `expiresAt`: from then on it would not count anyway, and is forgotten. */
  end(id: string, expiresAt: Date): Promise<void>;
  isEnded(id: string): Promise<boolean>;
}
