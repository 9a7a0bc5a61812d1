/** Wrong tokens that one address may try within the window. */
const MAX_WRONG = 10;
const WINDOW_MS = 60_000;
/** Addresses that are remembered at most, so that a flood of them does not fill the memory; the oldest is forgotten. */
const MAX_ADDRESSES = 10_000;

/**
 * Counts wrong tokens per address. The libraries for rate limits count requests; here a right token must never count, for
 * all people behind one proxy share an address.
 */
export class LoginAttempts {
  readonly #wrong = new Map<string, { count: number; since: number }>();
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Seconds until this address may try again; undefined: it may now. */
  waitSeconds(ip: string): number | undefined {
    const entry = this.#find(ip);
    if (entry === undefined || entry.count < MAX_WRONG) return undefined;
    return Math.max(1, Math.ceil((entry.since + WINDOW_MS - this.#now().getTime()) / 1_000));
  }

  countWrong(ip: string): void {
    const key = network(ip);
    const entry = this.#find(ip) ?? { count: 0, since: this.#now().getTime() };
    this.#wrong.delete(key);
    this.#wrong.set(key, { ...entry, count: entry.count + 1 });
    const [oldest] = this.#wrong.keys();
    if (this.#wrong.size > MAX_ADDRESSES && oldest !== undefined) this.#wrong.delete(oldest);
  }

  #find(ip: string): { count: number; since: number } | undefined {
    const entry = this.#wrong.get(network(ip));
    return entry !== undefined && this.#now().getTime() < entry.since + WINDOW_MS ? entry : undefined;
  }
}

/** A customer of an IPv6 provider has at least a /64 of addresses, so those count as one. */
function network(ip: string): string {
  return ip.includes(':') && !ip.includes('.') ? expand(ip).slice(0, 4).join(':') : ip;
}

function expand(ip: string): readonly string[] {
  const [head = '', tail] = ip.split('::');
  const left = head.split(':');
  const right = tail?.split(':') ?? [];
  return [...left, ...Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0'), ...right];
}
