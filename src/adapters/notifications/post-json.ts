import { type Dispatcher, request } from 'undici';
import { isLinkLocal, LinkLocalError } from '../../lib/link-local.ts';
import { oneLine } from '../../lib/markdown-text.ts';
import type { Secret } from '../../lib/secret.ts';
import { NotDeliveredError } from '../../ports/notifier.ts';

export interface Receiver {
  readonly url: Secret;
  readonly allowLinkLocal: boolean;
  /** Refuses names that are at link-local addresses, unless they are allowed. */
  readonly dispatcher: Dispatcher;
  /** From the connection to the last byte of the answer. */
  readonly timeoutMs: number;
}

const ANSWER_BYTES = 16_384;
const ANSWER_CHARS = 200;
const LONGEST_WAIT_MS = 3_600_000;

/** Posts, and takes nothing but a 2xx for an answer: a redirect leads to where the operator has sent nobody, so it is not followed. */
export async function postJson(
  receiver: Receiver,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const url = new URL(receiver.url.reveal());
  if (!receiver.allowLinkLocal && isLinkLocal(url.hostname)) throw unreachable(new LinkLocalError(url.hostname));
  const late = AbortSignal.timeout(receiver.timeoutMs);
  try {
    const answer = request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'holdfast', ...headers },
      body,
      dispatcher: receiver.dispatcher,
      signal: late,
    });
    // undici hears of the signal only once it is connected.
    const response = await Promise.race([answer, rejectedBy(late)]);
    if (response.statusCode < 200 || response.statusCode >= 300) throw await refusal(response);
    // It has it, whatever becomes of the rest of its answer.
    void response.body.dump().catch(() => undefined);
  } catch (error) {
    if (error instanceof NotDeliveredError) throw error;
    if (!late.aborted) throw unreachable(error);
    throw new NotDeliveredError(`No answer came within ${receiver.timeoutMs / 1_000} s`, undefined, { cause: error });
  }
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

async function refusal({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<NotDeliveredError> {
  const what = statusCode >= 300 && statusCode < 400 ? ', a redirect, which is not followed' : '';
  const text = oneLine(await readSome(body), ANSWER_CHARS);
  const retryAfter = headers['retry-after'];
  return new NotDeliveredError(
    `It answered ${statusCode}${what}${text === '' ? '' : `: ${text}`}`,
    typeof retryAfter === 'string' ? waitOf(retryAfter) : undefined,
  );
}

async function readSome(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).toString();
}

/** Seconds; RFC 9110, section 10.2.3, allows a date as well, which nobody sends. */
function waitOf(written: string): number | undefined {
  return /^\d{1,6}$/.test(written) ? Math.min(Number(written) * 1_000, LONGEST_WAIT_MS) : undefined;
}

/** The errors of connections name hosts, ports and reasons, and no paths. */
function unreachable(error: unknown): NotDeliveredError {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const reason = first instanceof Error && first.message !== '' ? first.message : String(first);
  return new NotDeliveredError(`It cannot be reached: ${oneLine(reason, ANSWER_CHARS)}`, undefined, { cause: error });
}
