import { isDrift } from '../core/drift/drift.ts';
import { EVENT_WORDS, HEALTH_WORDS, KIND_WORDS, NOTIFICATION_WORDS, STANDING_WORDS } from './drift-words.ts';
import { renderPage } from './page-templates.ts';
import { runModel } from './pages.ts';
import type {
  AttributeView,
  FindingsView,
  NotificationsPageView,
  ProjectPageView,
  ProjectRowView,
  ProjectsPageView,
} from './project-view.ts';

/** Projects of tracked branches: where they stand, and how their checks are. */
export function renderProjectsPage(view: ProjectsPageView): string {
  const { repository } = view;
  return renderPage('projects', {
    ...view,
    title: repository === undefined ? 'Projects' : `Projects of ${repository.label}`,
    at: 'projects',
    standings: view.standings.map((filter) => ({
      ...filter,
      tone: filter.standing && STANDING_WORDS[filter.standing].tone,
    })),
    healths: view.healths.map((filter) => ({ ...filter, tone: filter.health && HEALTH_WORDS[filter.health].tone })),
    groups: view.groups.map((group) => ({ ...group, projects: group.projects.map(rowModel) })),
  });
}

/** One project: what differs, what is said about it, what can be done, and what was done. */
export function renderProjectPage(view: ProjectPageView): string {
  const { row, findings } = view;
  return renderPage('project', {
    ...view,
    title: row.title,
    at: 'project',
    row: rowModel(row),
    standingSentence: STANDING_WORDS[row.standing].sentence,
    healthSentence: HEALTH_WORDS[row.health].sentence,
    findings: findings && findingsModel(findings),
    rules: view.rules.map((rule) => ({ ...rule, verb: RULE_VERBS[rule.kind] })),
    history: view.history.map(runModel),
    hasActions: Object.values(view.actions).some((url) => url !== undefined),
  });
}

/** Who outside was told what, the newest first. */
export function renderNotificationsPage(view: NotificationsPageView): string {
  return renderPage('notifications', {
    ...view,
    title: 'Notifications',
    at: 'notifications',
    filters: view.filters.map((filter) => ({ ...filter, tone: filter.state && NOTIFICATION_WORDS[filter.state].tone })),
    notifications: view.notifications.map((one) => ({
      ...one,
      event: EVENT_WORDS[one.event],
      state: NOTIFICATION_WORDS[one.state].text,
      tone: NOTIFICATION_WORDS[one.state].tone,
    })),
  });
}

const RULE_VERBS = { acknowledge: 'acknowledged', snooze: 'snoozed', ignore: 'ignored' } as const;

function rowModel(row: ProjectRowView) {
  return { ...row, sync: STANDING_WORDS[row.standing], checks: HEALTH_WORDS[row.health] };
}

function findingsModel(findings: FindingsView) {
  const { resources, outputs } = findings;
  const kinds = new Set([...resources.flatMap(({ attributes }) => attributes), ...outputs].map(({ kind }) => kind));
  return {
    ...findings,
    shortCommit: findings.commit.slice(0, 7),
    resources: resources.map((resource) => ({
      ...resource,
      word: KIND_WORDS[resource.kind],
      open: isDrift(resource.kind),
      attributes: resource.attributes.map(attributeModel),
    })),
    outputs: outputs.map((output) => ({
      ...output,
      ...attributeModel({ ...output, path: output.name, live: undefined }),
    })),
    kinds: [...kinds].map((kind) => KIND_WORDS[kind]),
    nothing: resources.length === 0 && outputs.length === 0,
  };
}

function attributeModel(attribute: AttributeView) {
  return { ...attribute, word: KIND_WORDS[attribute.kind] };
}
