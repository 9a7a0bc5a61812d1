import { DRIFT_COMMANDS, type DriftCommandName } from '../../core/drift/drift-command.ts';
import {
  type AttributeDifference,
  type DifferenceKind,
  isDrift,
  type ResourceDifference,
} from '../../core/drift/drift.ts';
import { defuse } from '../../lib/defuse.ts';
import { cutText, oneLine } from '../../lib/markdown-text.ts';
import { quoteWord } from '../../lib/shell-words.ts';
import { type DetailLevel, firstOf, mostDetailed } from '../detail-level.ts';
import { hiddenMarker } from '../hidden-marker.ts';
import { fillTidy } from '../templates.ts';
import { countOf, reasonText } from '../wording.ts';
import type { DriftIssueView, IssueLimits, IssueText } from './drift-view.ts';

/** What an issue starts with: an HTML comment that nobody sees. It counts only where we are the author. */
export function driftMarker(id: string): string {
  return hiddenMarker('drift', id);
}

/** The report of one project's drift. */
export function renderDriftIssue(view: DriftIssueView, limits: IssueLimits): IssueText {
  const drifting = view.findings.resources.filter(({ kind }) => isDrift(kind));
  const totals = totalsOf(drifting);
  const marker = driftMarker(view.id);
  const body = mostDetailed(limits.body, (level) =>
    fillTidy('drift/drift-issue', { ...modelOf(view, drifting, level), marker, totals }),
  );
  return { title: issueTitle(`Drift in ${view.title}: ${totals}`, limits.title), body: body.trimEnd() };
}

/** Titles know no code spans, and hosts link what they hold. */
export function issueTitle(text: string, limit: number): string {
  return cutText(defuse(oneLine(text)), limit);
}

function totalsOf(drifting: readonly ResourceDifference[]): string {
  const missing = drifting.filter((resource) => resource.missing).length;
  const others = drifting.length - missing;
  const words = [others === 0 ? [] : countOf(others, 'changed resource'), missing === 0 ? [] : `${missing} missing`];
  return words.flat().join(', ') || 'nothing';
}

function modelOf(view: DriftIssueView, drifting: readonly ResourceDifference[], level: DetailLevel) {
  const all = drifting.flatMap(rowsOf);
  const rows = firstOf(all, level.rows);
  const leftOut = drifting.reduce((sum, resource) => sum + resource.attributesLeftOut, 0);
  const { lastSeen, lastApply, triggers } = view;
  const beside = besideOf(view);
  return {
    ...level,
    project: view.title,
    branch: view.branch,
    flapping: view.isFlapping,
    failingSince: view.failingSince,
    suspension: view.suspension && { ...view.suspension, until: view.suspension.until },
    destroys: destroysOf(drifting, level),
    rows: rows.items,
    moreRows: rows.more + leftOut,
    conflicts: drifting.some(({ kind }) => kind === 'conflict'),
    beside: { ...firstOf(beside, level.items), total: beside.length },
    ignored: view.ignored,
    firstSeenAt: view.firstSeenAt,
    lastSeen: lastSeen && { at: lastSeen.at, commit: lastSeen.sha.slice(0, 7) },
    lastApply: lastApply && { ...lastApply, commit: lastApply.sha.slice(0, 7) },
    owners: firstOf(view.owners, level.items),
    fingerprint: view.fingerprint,
    commands: firstOf(commandsOf(view, drifting, level), level.items),
    help: `${triggers[0]} ${DRIFT_COMMANDS.help.typed}`,
    withoutApply: view.remediation === 'off',
    pageUrl: view.pageUrl,
  };
}

function rowsOf(resource: ResourceDifference) {
  return resource.attributes
    .filter(({ kind }) => isDrift(kind))
    .map((attribute) => ({ address: resource.address, path: attribute.path, ...cellsOf(resource, attribute) }));
}

function cellsOf({ missing }: ResourceDifference, attribute: AttributeDifference) {
  const { path, kind, applied, live, wanted, unknown } = attribute;
  const words = (text: string) => ({ text: undefined, words: text });
  if (path === '' && missing) {
    return { kind: 'missing', applied: words('there'), live: words('**gone**'), wanted: words('there') };
  }
  const value = (text: string | undefined) => ({ text, words: 'not set' });
  return {
    kind,
    applied: value(applied),
    live: value(live),
    wanted: unknown ? words('known after the apply') : value(wanted),
  };
}

const LOSSES: Readonly<Record<string, string>> = { delete: 'delete', replace: 'delete and make anew' };

function destroysOf(drifting: readonly ResourceDifference[], level: DetailLevel) {
  const losses = drifting
    .filter(({ destructive }) => destructive)
    .map(({ address, action, reason }) => ({
      verb: LOSSES[action ?? ''] ?? 'delete',
      address,
      reason: reasonText(reason),
    }));
  const verbs = [...new Set(Object.values(LOSSES))];
  const counted = verbs.map((verb) => [losses.filter((loss) => loss.verb === verb).length, verb] as const);
  return {
    ...firstOf(losses, level.destroys),
    total: losses.length,
    words: counted.flatMap(([count, verb]) => (count === 0 ? [] : `${verb} ${countOf(count, 'resource')}`)).join(', '),
  };
}

/** What an apply would do that is no drift. The values are not told: they may be others at every check. */
const BESIDE: Readonly<Partial<Record<DifferenceKind, string>>> = {
  pending: 'merged and not applied yet',
  baseline_unknown:
    'merged and not applied yet, or changed by what the code reads; there is no apply on record to tell',
  external: 'changed by what the code reads',
};

function besideOf({ findings: { resources, outputs } }: DriftIssueView) {
  const ofResources = resources.flatMap(({ address, kind, attributes }) =>
    attributes.map((attribute) => ({
      place: attribute.path === '' || !isDrift(kind) ? address : `${address} ${attribute.path}`,
      reason: BESIDE[attribute.kind],
    })),
  );
  const ofOutputs = outputs.map(({ name, kind }) => ({ place: `output.${name}`, reason: BESIDE[kind] }));
  const told = [...ofResources, ...ofOutputs].flatMap(({ place, reason }) => (reason ? [{ place, reason }] : []));
  return [...new Map(told.map((one) => [`${one.place} ${one.reason}`, one])).values()];
}

/** Words behind a command, such as people would type them. */
const EXAMPLES: Readonly<Partial<Record<DriftCommandName, string>>> = {
  ack: ' REASON',
  snooze: ' 7d',
  ignore: ' ADDRESS REASON --for 30d',
  suspend: ' REASON --for 7d',
};

function commandsOf(view: DriftIssueView, drifting: readonly ResourceDifference[], level: DetailLevel) {
  const [word] = view.triggers;
  const plain = (name: DriftCommandName) => ({
    command: `${word} ${DRIFT_COMMANDS[name].typed}${EXAMPLES[name] ?? ''}`,
    purpose: DRIFT_COMMANDS[name].purpose,
  });
  const apply = {
    command: `${word} ${DRIFT_COMMANDS.apply.typed}${destroyFlags(drifting, level)}`,
    purpose: `${DRIFT_COMMANDS.apply.purpose}: ${effectOf(drifting)}${besideOf(view).length > 0 ? '; it is refused while it would bring along what stands beside the drift' : ''}`,
  };
  const approve = {
    command: `${word} ${DRIFT_COMMANDS.approve.typed} ${view.fingerprint}`,
    purpose: `${DRIFT_COMMANDS.approve.purpose}: here it does`,
  };
  return [
    ...(view.remediation === 'off' ? [] : [apply]),
    ...(view.remediation === 'approved' ? [approve] : []),
    plain('run'),
    plain('ack'),
    plain('snooze'),
    plain('ignore'),
    plain(view.suspension === undefined ? 'suspend' : 'resume'),
  ];
}

/** Only what can be typed as it stands here is spelled out. */
function destroyFlags(drifting: readonly ResourceDifference[], level: DetailLevel): string {
  const addresses = drifting.filter(({ destructive }) => destructive).map(({ address }) => address);
  if (addresses.length === 0) return '';
  const flags = addresses.map((address) => ` --allow-destroy ${quoteWord(address)}`).join('');
  const isPlain = addresses.every((address) => defuse(oneLine(address)) === address);
  return isPlain && flags.length <= level.sentence ? flags : ' --allow-destroy ADDRESS ...';
}

const EFFECTS: Readonly<Record<string, (count: number) => string>> = {
  update: (count) => `changes ${countOf(count, 'resource')} back`,
  create: (count) => `makes ${countOf(count, 'resource')} again`,
  replace: (count) => `deletes ${countOf(count, 'resource')} and makes ${count === 1 ? 'it' : 'them'} anew`,
  delete: (count) => `deletes ${countOf(count, 'resource')}`,
};

function effectOf(drifting: readonly ResourceDifference[]): string {
  return Object.entries(EFFECTS)
    .flatMap(([action, words]) => {
      const count = drifting.filter((resource) => resource.action === action).length;
      return count === 0 ? [] : [words(count)];
    })
    .join(', ');
}
