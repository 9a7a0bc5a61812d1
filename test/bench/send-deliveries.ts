import { createHmac, randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';

export interface Sending {
  readonly url: string;
  readonly body: string;
  readonly event: string;
  readonly secret: string;
  readonly count: number;
  readonly connections: number;
  /** Called with the number of answers so far. */
  readonly onAnswer?: (answered: number) => void;
}

export interface Sent {
  /** Of each answer, milliseconds. */
  readonly answerMs: readonly number[];
  /** Deliveries that were answered 202. */
  readonly accepted: readonly string[];
}

/** Every connection sends its next delivery when it has the answer to the last. A broken connection ends its sender. */
export async function sendDeliveries(sending: Sending): Promise<Sent> {
  const agent = new Agent({ keepAlive: true, maxSockets: sending.connections });
  const signature = `sha256=${createHmac('sha256', sending.secret).update(sending.body).digest('hex')}`;
  const answerMs: number[] = [];
  const accepted: string[] = [];
  let left = sending.count;
  const sender = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const id = randomUUID();
      const startedAt = performance.now();
      const status = await post(agent, sending, id, signature).catch(() => undefined);
      if (status === undefined) return;
      answerMs.push(performance.now() - startedAt);
      if (status === 202) accepted.push(id);
      sending.onAnswer?.(answerMs.length);
    }
  };
  await Promise.all(Array.from({ length: sending.connections }, sender));
  agent.destroy();
  return { answerMs, accepted };
}

function post(agent: Agent, { url, body, event }: Sending, id: string, signature: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-github-event': event,
      'x-github-delivery': id,
      'x-hub-signature-256': signature,
    };
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('close', () => reject(new Error('the answer was cut off')));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
