import { createHmac, randomUUID } from 'node:crypto';
import type { World } from '../state/world.ts';

export interface HookConfig {
  readonly url: string;
  readonly secret: string;
}

/** Whose hook it is: the App's (payloads carry `installation`) or the repository's own. */
export interface HookTarget {
  readonly type: 'integration' | 'repository';
  readonly id: number;
  readonly installationId: number | null;
}

export interface DeliveryRecord {
  /** GitHub's id of this attempt; the guid is the same for every attempt of one delivery. */
  readonly id: number;
  readonly guid: string;
  readonly event: string;
  readonly action: string | null;
  readonly deliveredAt: Date;
  readonly redelivery: boolean;
  readonly target: HookTarget;
  readonly repositoryId: number | null;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  durationSeconds: number;
  /** 0 until answered, and for good when nobody answered. */
  statusCode: number;
  /** GitHub's word: `OK`, `Invalid HTTP Response: 500`, `timed out`, `failed to connect to host`. */
  status: string;
  responseBody: string;
}

const TIMEOUT_MS = 10_000;

/** Sends signed deliveries, each once: GitHub never repeats one by itself. */
export class Deliverer {
  readonly log: DeliveryRecord[] = [];
  config: HookConfig | undefined;
  /** While true, events are made and logged as failed, and nothing is sent: as if the receiver could not be reached. */
  unreachable = false;
  /** While true, events are not even made: as if no hook were configured. */
  silent = false;
  readonly #world: World;
  readonly #timeoutMs: number;
  readonly #pending = new Set<Promise<void>>();
  readonly #abort = new AbortController();

  constructor(world: World, timeoutMs: number = TIMEOUT_MS) {
    this.#world = world;
    this.#timeoutMs = timeoutMs;
  }

  /** False while nobody would be told, so that a payload need not be made. */
  get wanted(): boolean {
    return this.config !== undefined && !this.silent;
  }

  send(
    event: string,
    payload: Readonly<Record<string, unknown>>,
    target: HookTarget,
    repositoryId: number | null,
  ): void {
    if (!this.wanted) return;
    const action = typeof payload['action'] === 'string' ? payload['action'] : null;
    const body = JSON.stringify(payload);
    this.#attempt({ guid: randomUUID(), event, action, target, repositoryId, body, redelivery: false });
  }

  /** Sends one again, with the GUID it had. */
  redeliver(record: DeliveryRecord): void {
    this.#attempt({ ...record, redelivery: true });
  }

  /** Resolves when every delivery sent until now was answered or has failed. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.settled();
  }

  #attempt(
    order: Pick<DeliveryRecord, 'guid' | 'event' | 'action' | 'target' | 'repositoryId' | 'body' | 'redelivery'>,
  ): void {
    const record: DeliveryRecord = {
      ...order,
      id: this.#world.nextId(),
      deliveredAt: new Date(),
      headers: this.#headersOf(order),
      durationSeconds: 0,
      statusCode: 0,
      status: 'pending',
      responseBody: '',
    };
    this.log.push(record);
    const sending = this.#post(record).finally(() => this.#pending.delete(sending));
    this.#pending.add(sending);
  }

  #headersOf(order: Pick<DeliveryRecord, 'guid' | 'event' | 'target' | 'body'>): Record<string, string> {
    const hmac = (algorithm: string) =>
      createHmac(algorithm, this.config?.secret ?? '')
        .update(order.body)
        .digest('hex');
    return {
      accept: '*/*',
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/local',
      'x-github-delivery': order.guid,
      'x-github-event': order.event,
      'x-github-hook-id': '4711',
      'x-github-hook-installation-target-id': String(order.target.id),
      'x-github-hook-installation-target-type': order.target.type,
      'x-hub-signature': `sha1=${hmac('sha1')}`,
      'x-hub-signature-256': `sha256=${hmac('sha256')}`,
    };
  }

  async #post(record: DeliveryRecord): Promise<void> {
    const started = performance.now();
    try {
      if (this.unreachable || this.config === undefined) throw new Error('failed to connect to host');
      const signal = AbortSignal.any([AbortSignal.timeout(this.#timeoutMs), this.#abort.signal]);
      const { url } = this.config;
      const answer = await fetch(url, {
        method: 'POST',
        headers: record.headers,
        body: record.body,
        signal,
        redirect: 'manual',
      });
      record.statusCode = answer.status;
      record.responseBody = (await answer.text()).slice(0, 10_000);
      record.status = answer.ok ? 'OK' : `Invalid HTTP Response: ${answer.status}`;
    } catch (error) {
      record.statusCode = 0;
      record.status =
        error instanceof Error && error.name === 'TimeoutError' ? 'timed out' : 'failed to connect to host';
    }
    record.durationSeconds = Math.round((performance.now() - started) / 10) / 100;
  }
}
