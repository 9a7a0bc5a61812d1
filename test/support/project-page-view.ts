import type {
  NotificationView,
  ProjectPageView,
  ProjectRowView,
  ProjectsPageView,
  ResourceView,
  WhenView,
} from '../../src/pages/project-view.ts';
import { runListItem } from './run-page-view.ts';

const AT = new Date('2026-11-21T13:52:00Z');
export const when = (text: string): WhenView => ({ at: AT, text });
const FRAME = { csrfToken: 'csrf-1', sandbox: 'bubblewrap' } as const;
const REPOSITORY = { label: 'acme/infrastructure', url: 'https://github.example/acme/infrastructure' };

/** A project that drifts, and of which people are told. */
export function projectRow(some: Partial<ProjectRowView> = {}): ProjectRowView {
  return {
    url: '/projects/github.com%2F42%2Fprod%2Fdefault',
    title: 'envs/prod',
    standing: 'drift',
    health: 'ok',
    lastSuccess: when('2 hours ago'),
    nextDue: when('in 4 hours'),
    isDue: false,
    driftSince: when('3 days ago'),
    issue: { number: 12, url: 'https://github.example/acme/infrastructure/issues/12', open: true },
    runUrl: undefined,
    notes: [],
    ...some,
  };
}

export function projectsPageView(some: Partial<ProjectsPageView> = {}): ProjectsPageView {
  return {
    ...FRAME,
    repository: undefined,
    standings: [
      { standing: undefined, text: 'all', count: 3, url: '/projects', current: true },
      { standing: 'drift', text: 'drift', count: 1, url: '/projects?state=drift', current: false },
    ],
    healths: [{ health: undefined, text: 'all', count: 3, url: '/projects', current: true }],
    problems: [],
    groups: [{ repository: REPOSITORY, branch: 'main', projects: [projectRow()] }],
    nextUrl: undefined,
    firstUrl: undefined,
    ...some,
  };
}

export function resourceView(some: Partial<ResourceView> = {}): ResourceView {
  return {
    address: 'fake_bucket.logs',
    kind: 'drift',
    missing: false,
    destructive: false,
    effect: 'an apply changes it',
    attributes: [
      { path: 'tags.owner', kind: 'drift', applied: '"ann"', live: '"eve"', wanted: '"ann"', unknown: false },
    ],
    attributesLeftOut: 0,
    ...some,
  };
}

/** The page of that project; `some` replaces what a test is about. */
export function projectPageView(some: Partial<ProjectPageView> = {}): ProjectPageView {
  return {
    ...FRAME,
    row: projectRow(),
    repository: REPOSITORY,
    listUrl: '/projects?repository=github.com%2F42',
    branch: 'main',
    notice: undefined,
    branchProblem: undefined,
    errors: undefined,
    drift: {
      fingerprint: '0123456789abcdef',
      firstSeen: when('3 days ago'),
      lastSeen: when('2 hours ago'),
      sightings: 12,
      confirmed: true,
      quiet: undefined,
      flapping: false,
    },
    ended: undefined,
    findings: {
      commit: '1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d',
      checked: when('2 hours ago'),
      runUrl: '/runs/r1',
      complete: true,
      resources: [resourceView()],
      resourcesLeftOut: 0,
      outputs: [],
      failedChecks: [],
      ignored: [],
      ignoredLeftOut: 0,
    },
    unreadable: false,
    rules: [],
    facts: [{ name: 'Checked', text: 'every 6 hours' }],
    history: [runListItem({ operation: 'drift_check', outcome: 'drift in 1 resource', counts: undefined })],
    olderUrl: undefined,
    actions: { runUrl: '/projects/run?project=x', suspendUrl: '/projects/suspend?project=x', resumeUrl: undefined },
    ...some,
  };
}

export function notificationView(some: Partial<NotificationView> = {}): NotificationView {
  return {
    state: 'sent',
    event: 'drift_opened',
    receiver: 'ops',
    repository: 'acme/infrastructure',
    project: 'envs/prod',
    projectUrl: projectRow().url,
    sentence: 'Drift was found.',
    created: when('2 hours ago'),
    sent: when('2 hours ago'),
    next: undefined,
    attempts: 1,
    error: undefined,
    ...some,
  };
}
