/**
 * What is done about drift that is found. `report`: people are told, and put it right with a command. `off`: it is told as well,
 * and nothing is ever put right from here.
 */
export type DriftMode = 'off' | 'report';

/** Where drift is reported: an issue per project, one issue that lists every project, or the pages only. */
export type DriftReporting = 'issues' | 'dashboard' | 'none';

/** When a project is checked: by a period, which is spread by the project's key, or by the clock of a time zone. */
export type DriftSchedule =
  | { readonly kind: 'every'; readonly everyMs: number }
  | { readonly kind: 'cron'; readonly cron: string; readonly timezone: string };

/** A span of time that begins whenever its cron expression says, in which checks may or may not be started. */
export interface DriftWindow {
  readonly kind: 'allow' | 'deny';
  readonly cron: string;
  readonly durationMs: number;
  readonly timezone: string;
}

/** Attributes that do not count as differing, as a config file says it. In address and attribute `*` is any run of characters. */
export interface DriftIgnore {
  readonly address: string;
  readonly attribute: string;
  readonly reason: string;
  readonly owner: string;
  readonly expires: Date;
}

/** A `drift:` as one place writes it; undefined: not written there. */
export interface ProjectDriftKeys {
  readonly enabled: boolean | undefined;
  readonly schedule:
    | { readonly kind: 'every'; readonly everyMs: number }
    | { readonly kind: 'cron'; readonly cron: string }
    | undefined;
  readonly timezone: string | undefined;
  /** `timezone` undefined: that of the place. */
  readonly windows: readonly (Omit<DriftWindow, 'timezone'> & { readonly timezone: string | undefined })[] | undefined;
  readonly mode: DriftMode | undefined;
  readonly confirmations: number | undefined;
  readonly errorGraceMs: number | undefined;
  readonly labels: readonly string[] | undefined;
  readonly assignees: readonly string[] | undefined;
  readonly ignore: readonly DriftIgnore[] | undefined;
}

/** The same where it speaks for a whole repository. */
export interface RepositoryDriftKeys extends ProjectDriftKeys {
  readonly report: DriftReporting | undefined;
  readonly maxOpenIssues: number | undefined;
}

/** Everything that was decided for one project. */
export interface DriftSettings {
  readonly enabled: boolean;
  readonly schedule: DriftSchedule;
  /** The server's and the repository's: both have to be open. */
  readonly windows: readonly (readonly DriftWindow[])[];
  readonly mode: DriftMode;
  /** How many checks in a row have to see drift before it is reported. */
  readonly confirmations: number;
  /** How long checks may fail before that is reported. */
  readonly errorGraceMs: number;
  readonly labels: readonly string[];
  readonly assignees: readonly string[];
  /** Those of all places together. */
  readonly ignore: readonly DriftIgnore[];
  readonly report: DriftReporting;
  /** Of one repository. */
  readonly maxOpenIssues: number;
}

/** No project is checked more often by itself. */
export const MINIMUM_EVERY_MS = 5 * 60_000;

export const DRIFT_DEFAULTS = {
  everyMs: 6 * 3_600_000,
  timezone: 'UTC',
  confirmations: 2,
  errorGraceMs: 3_600_000,
  labels: ['drift'],
  maxOpenIssues: 10,
} as const;

export interface DriftLayers {
  /** The server's default, then its rules for the repository in their order. */
  readonly server: readonly RepositoryDriftKeys[];
  /** The top of the repository's config on the tracked branch. */
  readonly repository: RepositoryDriftKeys | undefined;
  /** The project's entry there. */
  readonly project: ProjectDriftKeys | undefined;
}

/**
 * Lays all that is written over one another: per key, the last that writes it counts. Two things a repository cannot take back:
 * `mode: off` of the server, and the server's windows. Ignore rules add up.
 */
export function resolveDriftSettings({ server, repository, project }: DriftLayers): DriftSettings {
  const ofRepository = [...server, ...(repository ? [repository] : [])];
  const all: readonly ProjectDriftKeys[] = [...ofRepository, ...(project ? [project] : [])];
  const own = all.slice(server.length);
  const serverZone = last(server, 'timezone') ?? DRIFT_DEFAULTS.timezone;
  const timezone = last(all, 'timezone') ?? DRIFT_DEFAULTS.timezone;
  const schedule = last(all, 'schedule') ?? { kind: 'every', everyMs: DRIFT_DEFAULTS.everyMs };
  return {
    enabled: last(all, 'enabled') ?? true,
    schedule: schedule.kind === 'every' ? schedule : { ...schedule, timezone },
    windows: [windowsOf(server, serverZone), windowsOf(own, timezone)].filter((windows) => windows.length > 0),
    mode: last(server, 'mode') === 'off' ? 'off' : (last(all, 'mode') ?? 'report'),
    confirmations: last(all, 'confirmations') ?? DRIFT_DEFAULTS.confirmations,
    errorGraceMs: last(all, 'errorGraceMs') ?? DRIFT_DEFAULTS.errorGraceMs,
    labels: last(all, 'labels') ?? DRIFT_DEFAULTS.labels,
    assignees: last(all, 'assignees') ?? [],
    ignore: all.flatMap((keys) => keys.ignore ?? []),
    report: last(ofRepository, 'report') ?? 'issues',
    maxOpenIssues: last(ofRepository, 'maxOpenIssues') ?? DRIFT_DEFAULTS.maxOpenIssues,
  };
}

function last<T, K extends keyof T>(layers: readonly T[], key: K): T[K] | undefined {
  return layers.findLast((layer) => layer[key] !== undefined)?.[key];
}

function windowsOf(layers: readonly ProjectDriftKeys[], timezone: string): readonly DriftWindow[] {
  return (last(layers, 'windows') ?? []).map((window) => ({ ...window, timezone: window.timezone ?? timezone }));
}
