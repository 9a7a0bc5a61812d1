import type { DriftDashboardView, DriftIssueView, DriftSummaryView } from '../../src/comments/drift/drift-view.ts';
import { buildDifference, FIRST_SEEN } from './drift-builders.ts';

const PAGE = 'https://holdfast.example/drift/prod';

/** The report of one changed attribute; `some` replaces what a test is about. */
export function driftIssueView(some: Partial<DriftIssueView> = {}): DriftIssueView {
  return {
    id: 'i-1',
    triggers: ['holdfast'],
    title: 'prod',
    branch: 'main',
    findings: { resources: [buildDifference()], outputs: [] },
    ignored: 0,
    fingerprint: '0123456789abcdef',
    firstSeenAt: new Date(FIRST_SEEN),
    lastSeen: undefined,
    lastApply: undefined,
    owners: [],
    isFlapping: false,
    failingSince: undefined,
    suspension: undefined,
    remediation: 'alone',
    pageUrl: PAGE,
    ...some,
  };
}

export function driftSummaryView(some: Partial<DriftSummaryView> = {}): DriftSummaryView {
  return {
    id: 'i-2',
    triggers: ['holdfast'],
    branch: 'main',
    maxOpenIssues: 10,
    beyond: [],
    failing: [],
    pageUrl: PAGE,
    ...some,
  };
}

export function driftDashboardView(some: Partial<DriftDashboardView> = {}): DriftDashboardView {
  return {
    id: 'i-3',
    triggers: ['holdfast'],
    branch: 'main',
    projects: [],
    problem: undefined,
    pageUrl: PAGE,
    ...some,
  };
}
