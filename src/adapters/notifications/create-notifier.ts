import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { createOutboundDispatcher, type OutboundOptions } from '../../lib/outbound-dispatcher.ts';
import { refuseLinkLocal } from '../../lib/link-local.ts';
import type { Secret } from '../../lib/secret.ts';
import type { Notifier } from '../../ports/notifier.ts';
import type { Receiver } from './post-json.ts';
import { createSlackNotifier } from './slack.ts';
import { createWebhookNotifier } from './webhook.ts';

export type NotifierOptions = Pick<OutboundOptions, 'proxyUrl' | 'noProxy' | 'ca'> & {
  readonly url: Secret;
  readonly allowLinkLocal: boolean;
  readonly now: () => Date;
  /** Default: 10 s. */
  readonly timeoutMs?: number;
  /** How names are looked up before they are judged. Default: the system's. */
  readonly lookup?: LookupFunction;
} & ({ readonly kind: 'webhook'; readonly secret: Secret } | { readonly kind: 'slack' });

const TIMEOUT_MS = 10_000;

/** How one receiver is told. Behind a proxy it is the proxy that looks names up, and so the proxy that keeps it from where it must not go. */
export function createNotifier(options: NotifierOptions): Notifier {
  const { url, allowLinkLocal, proxyUrl, noProxy, ca, timeoutMs = TIMEOUT_MS } = options;
  const { lookup = systemLookup } = options;
  const judged = allowLinkLocal ? lookup : refuseLinkLocal(lookup);
  const dispatcher = createOutboundDispatcher({ proxyUrl, noProxy, ca, lookup: judged });
  const receiver: Receiver = { url, allowLinkLocal, dispatcher, timeoutMs };
  return options.kind === 'slack' ? createSlackNotifier(receiver) : createWebhookNotifier(receiver, options);
}
