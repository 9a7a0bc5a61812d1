import pg from 'pg';

export interface LiveStreams {
  /** What has come through all streams so far. */
  text(): string;
  /** Resolves when every stream that was opened has ended; no run is open then. */
  ended(): Promise<void>;
  stop(): Promise<void>;
}

/** Watches the log of every run from the moment it is on record, as a browser does that shows its page. */
export function followRuns(url: string, token: string, databaseUrl: () => Promise<string>): LiveStreams {
  const stopped = new AbortController();
  const streams = new Map<string, Promise<void>>();
  let text = '';
  const stream = async (id: string): Promise<void> => {
    const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(120_000)]);
    const answer = await fetch(`${url}/runs/${id}/events`, { headers: { authorization: `Bearer ${token}` }, signal });
    const decoder = new TextDecoder();
    for await (const chunk of answer.body ?? []) text += decoder.decode(chunk, { stream: true });
  };
  /** The stream of a run that waits ends when it is started; then its page is loaded anew. */
  const follow = async (client: pg.Client, id: string): Promise<void> => {
    for (let final = false; !final && !stopped.signal.aborted; ) {
      final = await isFinal(client, id);
      await stream(id).catch(() => undefined);
    }
  };
  const watch = async (): Promise<void> => {
    const client = new pg.Client({ connectionString: await databaseUrl() });
    await client.connect();
    while (!stopped.signal.aborted) {
      const { rows } = await client.query<{ id: string }>('select id from holdfast.runs');
      for (const { id } of rows) if (!streams.has(id)) streams.set(id, follow(client, id));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await Promise.all(streams.values());
    await client.end();
  };
  const watching = watch();
  return {
    text: () => text,
    ended: async () => {
      await Promise.all(streams.values());
    },
    stop: async () => {
      stopped.abort();
      await watching;
    },
  };
}

async function isFinal(client: pg.Client, id: string): Promise<boolean> {
  const { rows } = await client.query<{ final: boolean }>(
    `select state not in ('queued', 'claimed', 'running') as final from holdfast.runs where id = $1`,
    [id],
  );
  return rows[0]?.final ?? true;
}
