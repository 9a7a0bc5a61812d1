import { notifyOfWaiting } from '../../src/core/drift/notifications.ts';
import { addressTo } from '../../src/core/drift/receivers.ts';
import type { WorkerContext } from '../context.ts';

const AT_ONCE = 5_000;
const WEEK_MS = 7 * 86_400_000;

type RemindContext = Pick<WorkerContext, 'config' | 'drift' | 'overview' | 'now'>;

/** Tells of projects that nobody hears of because nothing happens to them. Each is told of once for the same reason, however often this runs. */
export async function remindJob({ config, drift, overview, now }: RemindContext): Promise<void> {
  if (config.notifications.length === 0) return;
  const address = addressTo(config.notifications);
  const at = now();
  for (const { project, repository, foundAt } of await overview.listWaiting(
    new Date(at.getTime() - WEEK_MS),
    AT_ONCE,
  )) {
    const { key, settings, lastSuccessAt, skip, suspension } = project;
    const waiting = { project: key, schedule: settings.schedule, foundAt, lastSuccessAt, skip: skip?.code, suspension };
    const notifications = notifyOfWaiting(waiting, at).filter(
      (one) => address(one, { project, repository }).length > 0,
    );
    if (notifications.length > 0) await drift.change(key, () => ({ changes: {}, report: false, notifications }));
  }
}
