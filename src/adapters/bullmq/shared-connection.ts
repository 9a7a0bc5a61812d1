import { type PgPool, PostgresConnection } from 'bullmq';

type PgListenClient = Awaited<ReturnType<PostgresConnection['getListenClient']>>;

/** One BullMQ connection for many queues and workers. */
export class SharedConnection extends PostgresConnection {
  /** With a pool for a connection BullMQ would assume a name of its own. */
  override readonly schema: string;
  readonly #serialized = new WeakSet<PgListenClient>();

  constructor(pool: PgPool, schema: string) {
    super(pool);
    this.schema = schema;
    // Each queue and worker listens for errors and losses.
    this.setMaxListeners(0);
  }

  override async getListenClient(): Promise<PgListenClient> {
    const client = await super.getListenClient();
    if (!this.#serialized.has(client)) serializeQueries(client);
    this.#serialized.add(client);
    return client;
  }

  /** BullMQ closes a connection with the first queue or worker that is closed; this one stays for the others. */
  override async close(): Promise<void> {
    // See closeForGood.
  }

  closeForGood(): Promise<void> {
    return super.close();
  }
}

/** Workers subscribe all at once, and a connection is to be asked one thing at a time. */
function serializeQueries(client: PgListenClient): void {
  const query = client.query.bind(client);
  let last: Promise<unknown> = Promise.resolve();
  client.query = <R>(text: string, params?: readonly unknown[]) => {
    const next = last.then(() => query<R>(text, params));
    last = next.catch(() => undefined);
    return next;
  };
}
