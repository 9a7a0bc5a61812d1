import type { FastifyInstance, FastifyRequest } from 'fastify';
import { projectPagePath } from '../core/project.ts';
import { NOTIFICATION_WORDS } from '../pages/drift-words.ts';
import { renderNotificationsPage } from '../pages/project-pages.ts';
import type { NotificationsPageView, NotificationState, NotificationView } from '../pages/project-view.ts';
import type { FrameView } from '../pages/view.ts';
import type { NotificationRecord } from '../ports/notification-store.ts';
import type { PageSources } from './page-sources.ts';
import { queryParameter } from './request-fields.ts';
import { when, whenKnown } from './when.ts';

const PER_PAGE = 50;
const STATES = Object.keys(NOTIFICATION_WORDS) as readonly NotificationState[];

/** The log of what was told outside. */
export function registerNotificationRoutes(
  app: FastifyInstance,
  sources: PageSources,
  frame: (request: FastifyRequest) => FrameView,
): void {
  app.get('/notifications', async (request, reply) => {
    const state = STATES.find((one) => one === queryParameter(request, 'state'));
    const after = queryParameter(request, 'after');
    const view = await present(sources, frame(request), state, after);
    return reply.type('text/html; charset=utf-8').send(renderNotificationsPage(view));
  });
}

async function present(
  { notifications, config, now }: PageSources,
  frame: FrameView,
  state: NotificationState | undefined,
  after: string | undefined,
): Promise<NotificationsPageView> {
  const [found, counts] = await Promise.all([
    notifications.list({ limit: PER_PAGE + 1, ...(state && { state }), ...(after !== undefined && { after }) }),
    notifications.countByState(),
  ]);
  const shown = found.slice(0, PER_PAGE);
  const last = found.length > PER_PAGE ? shown.at(-1) : undefined;
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const filter = (one: NotificationState | undefined) => ({
    state: one,
    text: one === undefined ? 'all' : NOTIFICATION_WORDS[one].text,
    count: one === undefined ? all : counts[one],
    url: urlOf(one, undefined),
    current: one === state,
  });
  return {
    ...frame,
    filters: [undefined, ...STATES].map(filter),
    notifications: shown.map((one) => presentOne(one, now())),
    hasReceivers: config.notifications.length > 0,
    olderUrl: last && urlOf(state, last.id),
    newestUrl: after === undefined ? undefined : urlOf(state, undefined),
  };
}

function urlOf(state: NotificationState | undefined, after: string | undefined): string {
  const parameters = new URLSearchParams({ ...(state && { state }), ...(after && { after }) });
  return parameters.size === 0 ? '/notifications' : `/notifications?${parameters}`;
}

function presentOne(record: NotificationRecord, now: Date): NotificationView {
  const { payload, state } = record;
  return {
    state,
    event: record.event,
    receiver: record.receiver,
    repository: payload.repository.name,
    project: payload.project.title,
    projectUrl: projectPagePath(payload.project.key),
    sentence: payload.sentence,
    created: when(now, record.createdAt),
    sent: whenKnown(now, record.sentAt),
    next: state === 'wanted' ? when(now, record.dueAt) : undefined,
    attempts: record.attempts,
    error: record.error,
  };
}
