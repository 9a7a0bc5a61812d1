import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { type Options, Probot, ProbotOctokit } from 'probot';
import { InvalidDeliveryError } from '../../core/host-error.ts';
import type { VcsEvent } from '../../core/vcs-event.ts';
import type { Delivery } from '../../ports/vcs-host.ts';
import { type Ourselves, translations } from './events.ts';
import { type UsedEvent, usedEvents } from './permissions.ts';

/**
 * A Probot without its surroundings: it listens on nothing, reads no file and no environment variable, and is silent,
 * because at level debug it logs whole payloads. Its webhook secret defaults to "development"; ours is random and
 * never used, since signatures are verified at the door. Its plugins for throttling and retries are switched off:
 * they sleep inside calls and repeat writes.
 */
export function createSilentProbot(
  options: Pick<Options, 'appId' | 'privateKey' | 'githubToken' | 'baseUrl' | 'request'>,
) {
  const Octokit = ProbotOctokit.defaults((given: object) => ({
    ...given,
    throttle: { enabled: false },
    retry: { enabled: false },
    userAgent: 'holdfast',
  }));
  return new Probot({
    ...options,
    Octokit,
    secret: randomBytes(32).toString('hex'),
    log: pino({ enabled: false }),
  });
}

type Outcome = { readonly event: VcsEvent | undefined } | { readonly error: unknown };

/**
 * Translates deliveries with Probot's event handlers: `receive` routes an event to its handler, which notes the outcome
 * by payload. A handler throws nothing into Probot, which would attach the whole payload to the error.
 */
export function createInterpreter(probot: Probot, ourselves: Ourselves) {
  const outcomes = new WeakMap<object, Outcome>();
  for (const event of usedEvents) {
    probot.on(event, async (context) => {
      const payload: unknown = context.payload;
      outcomes.set(context.payload, await outcomeOf(event, payload, ourselves));
    });
  }

  return async function interpret(delivery: Delivery): Promise<VcsEvent | undefined> {
    if (!isUsedEvent(delivery.event)) return undefined;
    const payload = parseObject(delivery);
    refuseOddInstallation(delivery, payload);
    // Probot's type knows the payload of every event; the handlers take none of it for granted.
    const event = { id: delivery.id, name: delivery.event, payload } as unknown as Parameters<Probot['receive']>[0];
    await probot.receive(event);
    const outcome = outcomes.get(payload);
    if (outcome && 'error' in outcome) throw outcome.error;
    return outcome?.event;
  };
}

async function outcomeOf(event: UsedEvent, payload: unknown, ourselves: Ourselves): Promise<Outcome> {
  try {
    return { event: await translations[event](actionOf(payload), payload, ourselves) };
  } catch (error) {
    return { error };
  }
}

/** Probot prepares a client for the installation before any handler runs, and takes its id for granted. */
function refuseOddInstallation(delivery: Delivery, payload: object): void {
  const installation = 'installation' in payload ? payload.installation : undefined;
  if (installation === undefined || installation === null) return;
  const id = typeof installation === 'object' && 'id' in installation ? installation.id : undefined;
  if (typeof id === 'number' && Number.isSafeInteger(id) && id > 0) return;
  throw new InvalidDeliveryError(
    `the ${delivery.event} delivery ${delivery.id} names an installation without a good id`,
  );
}

function isUsedEvent(name: string): name is UsedEvent {
  return usedEvents.some((event) => event === name);
}

function actionOf(payload: unknown): string | undefined {
  const action = typeof payload === 'object' && payload !== null && 'action' in payload ? payload.action : undefined;
  return typeof action === 'string' ? action : undefined;
}

function parseObject(delivery: Delivery): object {
  let payload: unknown;
  try {
    payload = JSON.parse(delivery.payload);
  } catch (error) {
    throw new InvalidDeliveryError(`the ${delivery.event} delivery ${delivery.id} is not JSON`, { cause: error });
  }
  if (typeof payload === 'object' && payload !== null && !Array.isArray(payload)) return payload;
  throw new InvalidDeliveryError(`the ${delivery.event} delivery ${delivery.id} is not a JSON object`);
}
