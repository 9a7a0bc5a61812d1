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

/** Translates deliveries with Probot's event handlers: `receive` routes an event to its handler, which notes the answer by payload. */
export function createInterpreter(probot: Probot, ourselves: Ourselves) {
  const answers = new WeakMap<object, VcsEvent>();
  for (const event of usedEvents) {
    probot.on(event, async (context) => {
      const payload: unknown = context.payload;
      const answer = await translations[event](actionOf(payload), payload, ourselves);
      if (answer) answers.set(context.payload, answer);
    });
  }

  return async function interpret(delivery: Delivery): Promise<VcsEvent | undefined> {
    if (!isUsedEvent(delivery.event)) return undefined;
    const payload = parseObject(delivery);
    // Probot's type knows the payload of every event; the handlers take none of it for granted.
    const event = { id: delivery.id, name: delivery.event, payload } as unknown as Parameters<Probot['receive']>[0];
    try {
      await probot.receive(event);
    } catch (error) {
      throw firstCause(error);
    }
    return answers.get(payload);
  };
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

/** Probot gathers what its handlers throw; there is one handler per event. */
function firstCause(error: unknown): unknown {
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
}
