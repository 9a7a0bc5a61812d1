import { isUtf8 } from 'node:buffer';
import { verify } from '@octokit/webhooks-methods';
import type { Secret } from '../../lib/secret.ts';
import type { VerifiedDelivery, WebhookRefusal, WebhookSource } from '../../ports/vcs-host.ts';

type Headers = Readonly<Record<string, string | undefined>>;

const EVENT = /^[a-z0-9_]{1,64}$/;
/** A GUID on GitHub; other characters of an identifier are let through for servers that number their deliveries. */
const DELIVERY = /^[0-9A-Za-z-]{1,64}$/;
const SIGNATURE = /^sha256=[0-9a-f]{64}$/;

function refusal(status: WebhookRefusal['status'], reason: string): WebhookRefusal {
  return { status, reason };
}

function checkHeaders(headers: Headers, maxBytes: number): WebhookRefusal | undefined {
  const mediaType = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (mediaType !== 'application/json') {
    return refusal(415, "The content type must be application/json; choose it in the webhook's settings.");
  }
  if (!EVENT.test(headers['x-github-event'] ?? ''))
    return refusal(400, 'The header X-GitHub-Event is missing or malformed.');
  if (!DELIVERY.test(headers['x-github-delivery'] ?? '')) {
    return refusal(400, 'The header X-GitHub-Delivery is missing or malformed.');
  }
  if (!SIGNATURE.test(headers['x-hub-signature-256'] ?? '')) {
    return refusal(
      401,
      "The header X-Hub-Signature-256 is missing or malformed; set a secret in the webhook's settings.",
    );
  }
  return Number(headers['content-length'] ?? 0) > maxBytes ? tooLarge(maxBytes) : undefined;
}

function tooLarge(maxBytes: number): WebhookRefusal {
  return refusal(413, `The body is larger than ${maxBytes} bytes.`);
}

/** All secrets are tried, so that the time says nothing about which of them fitted. */
async function signedByAny(secrets: readonly Secret[], body: string, signature: string): Promise<boolean> {
  const fits = await Promise.all(secrets.map((secret) => verify(secret.reveal(), body, signature)));
  return fits.includes(true);
}

/** For the record, which has no place for NUL and for texts without end; nothing is decided by it. */
function shortText(value: unknown): string | undefined {
  return typeof value === 'string' && /^[^\p{C}]{1,300}$/u.test(value) ? value : undefined;
}

function parseEnvelope(headers: Headers, body: string): VerifiedDelivery | undefined {
  let payload: unknown;
  try {
    payload = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return undefined;
  const { action, repository } = payload as { action?: unknown; repository?: unknown };
  const named =
    typeof repository === 'object' && repository !== null && 'full_name' in repository
      ? repository.full_name
      : undefined;
  return {
    id: headers['x-github-delivery'] ?? '',
    event: headers['x-github-event'] ?? '',
    action: shortText(action),
    repository: shortText(named),
  };
}

export interface GithubWebhookSourceOptions {
  /** All are accepted, so that one can be replaced while the other is still in use. At least one, none empty. */
  readonly secrets: readonly Secret[];
  /** GitHub itself caps payloads at 25 MB. */
  readonly maxBytes: number;
}

/**
 * GitHub's webhooks: HMAC-SHA-256 over the raw body, in hex, in `X-Hub-Signature-256` (GitHub's "Validating webhook
 * deliveries"). Throws a `TypeError` when there is no secret: without one anybody could give orders.
 */
export function createGithubWebhookSource(options: GithubWebhookSourceOptions): WebhookSource {
  const { secrets, maxBytes } = options;
  if (secrets.length === 0 || secrets.some((secret) => secret.reveal() === '')) {
    throw new TypeError("a webhook secret is needed: set the same one here and in the webhook's settings on GitHub");
  }
  return {
    name: 'github',
    checkHeaders: (headers) => checkHeaders(headers, maxBytes),
    verify: async (headers, body) => {
      const early = checkHeaders(headers, maxBytes);
      if (early) return { refusal: early };
      if (body.length > maxBytes) return { refusal: tooLarge(maxBytes) };
      // The signature is over bytes; text that is not UTF-8 would be verified as something else.
      if (body.length === 0 || !isUtf8(body)) return { refusal: refusal(400, 'The body is empty or not UTF-8.') };
      const text = body.toString('utf8');
      if (!(await signedByAny(secrets, text, headers['x-hub-signature-256'] ?? ''))) {
        return { refusal: refusal(401, 'The signature does not fit the body and any configured secret.') };
      }
      const delivery = parseEnvelope(headers, text);
      return delivery ? { delivery } : { refusal: refusal(400, 'The body is not a JSON object.') };
    },
  };
}
