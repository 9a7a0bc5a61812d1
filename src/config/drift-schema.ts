import { z } from 'zod';
import { DRIFT_DEFAULTS, MINIMUM_EVERY_MS } from '../core/drift/settings.ts';
import { parseEnd } from '../lib/instant.ts';
import { flag, text, texts } from './schema-parts.ts';
import { key } from './schema-keys.ts';
import { count, duration } from './server-values.ts';

const MONTH_MS = 31 * 86_400_000;

const every = duration.refine(
  (ms) => ms >= MINIMUM_EVERY_MS && ms <= MONTH_MS,
  'must be from 5m to 31d: a plan asks the cloud for every resource',
);

const expression = text.pipe(z.string().max(100, 'may have 100 characters at most'));

/** Modes that are known and not there yet, with what does instead. */
const LATER: ReadonlyMap<string, string> = new Map([
  [
    'pull_request',
    'this version of Holdfast opens no pull requests for drift; write `report`, and change the code or comment `holdfast apply` on the drift report',
  ],
  [
    'auto',
    'this version of Holdfast puts no drift right by itself; write `report`, and comment `holdfast apply` on the drift report',
  ],
]);

const mode = text
  .transform((written, context) => {
    if (written === 'off' || written === 'report') return written;
    context.addIssue(
      LATER.get(written) ?? `${JSON.stringify(written.slice(0, 100))} is not a mode: write "report" or "off"`,
    );
    return z.NEVER;
  })
  .meta({ enum: ['off', 'report'] });

const window = z.strictObject({
  kind: z
    .enum(['allow', 'deny'])
    .describe(
      '`allow`: checks start inside of such windows only. `deny`: none starts inside of it, whatever others allow.',
    ),
  schedule: expression.describe('When it begins: cron, five fields.'),
  duration: duration
    .refine((ms) => ms >= 60_000 && ms <= MONTH_MS, 'must be from 1m to 31d')
    .describe('How long it lasts by the stop-watch, also when the clocks change.'),
  timezone: text.optional().describe('IANA time zone. Default: the `timezone` beside `windows`.'),
});

const written = (what: string) =>
  text.pipe(z.string().trim().min(1, `is required: ${what}`).max(500, 'may have 500 characters at most'));

const expiry = text.transform((written, context) => {
  const end = parseEnd(written);
  if (end !== undefined) return end;
  context.addIssue('must be a day such as 2026-12-31, or a time such as 2026-12-31T18:00:00Z');
  return z.NEVER;
});

const ignore = z.strictObject({
  address: written('addresses of resources').describe('Addresses of resources; `*` is any run of characters.'),
  attribute: written('attributes').prefault('*').describe('Attributes, what lies in them included; `*` as above.'),
  reason: written('why this is no drift').describe('Why; it is shown.'),
  owner: written('who can be asked about it').describe('Who to ask about it.'),
  expires: expiry.describe('Last day, or time, on which it counts, so that none is forgotten.'),
});

const MEANING = {
  enabled: 'Whether projects of the tracked branch are checked for drift by themselves.',
  every: 'How often each project is checked, `5m` at least. Default: `6h`. Projects are spread over it.',
  schedule: 'When it is checked instead: cron, five fields. Checks begin within ten minutes of it.',
  timezone: 'IANA time zone of `schedule` and `windows`.',
  windows:
    'When checks may start. What is due outside is checked when they may. Windows of the server and of the repository both count.',
  mode: '`report`: drift is put right when somebody says so on its report. `off`: never from here.',
  confirmations: 'How many checks in a row see drift before it is reported; of something that is gone, two at most.',
  error_grace: 'How long checks of a project may fail before that is reported.',
  labels: 'Labels of drift reports.',
  assignees: 'Who is assigned to drift reports: logins.',
  ignore: 'Differences that are no drift. They are still undone by an apply.',
  report:
    '`issues`: an issue per project that drifts. `dashboard`: one issue that lists every project. `none`: the pages only.',
  max_open_issues: 'Drift reports open at once in one repository; what is beyond is listed in one more.',
} as const;

const labels = z
  .array(text.pipe(z.string().min(1, 'cannot be empty').max(50, 'may have 50 characters at most')), {
    error: 'must be a list of texts',
  })
  .max(20, 'may have 20 entries at most');
const assignees = texts.max(10, 'may have 10 entries at most');
const confirmations = count.max(10, 'must be 10 at most');
const windows = z.array(window, { error: 'must be a list of windows' }).max(20, 'may have 20 entries at most');
const ignores = z.array(ignore, { error: 'must be a list of rules' }).max(500, 'may have 500 entries at most');
const report = z.enum(['issues', 'dashboard', 'none']);
const openIssues = count.max(100, 'must be 100 at most');

const ofProject = {
  enabled: flag.optional().describe(MEANING.enabled),
  every: every.optional().describe(MEANING.every),
  schedule: expression.optional().describe(MEANING.schedule),
  timezone: text.optional().describe(MEANING.timezone),
  windows: windows.optional().describe(MEANING.windows),
  mode: mode.optional().describe(MEANING.mode),
  confirmations: confirmations.optional().describe(MEANING.confirmations),
  error_grace: duration.optional().describe(MEANING.error_grace),
  labels: labels.optional().describe(MEANING.labels),
  assignees: assignees.optional().describe(MEANING.assignees),
  ignore: ignores.optional().describe(MEANING.ignore),
};

const ofRepository = {
  ...ofProject,
  report: report.optional().describe(MEANING.report),
  max_open_issues: openIssues.optional().describe(MEANING.max_open_issues),
};

interface Written {
  readonly every?: number | undefined;
  readonly schedule?: string | undefined;
}

function oneSchedule(written: Written, context: z.core.$RefinementCtx): void {
  if (written.every === undefined || written.schedule === undefined) return;
  context.addIssue({ code: 'custom', path: ['schedule'], message: 'cannot be set together with `every`' });
}

/** In an entry of `projects:`. */
export const projectDrift = z.strictObject(ofProject).superRefine(oneSchedule);
/** At the top of a repository's config, and in an entry of the server's `repos:`. */
export const repositoryDrift = z.strictObject(ofRepository).superRefine(oneSchedule);

/** The server's: where all begin, and how much may be done at once. */
export const driftDefaults = z
  .prefault(
    z
      .strictObject({
        enabled: key(flag.prefault(true), MEANING.enabled, 'DRIFT'),
        every: key(every.optional(), MEANING.every, 'DRIFT_EVERY'),
        schedule: key(expression.optional(), MEANING.schedule),
        timezone: key(text.prefault(DRIFT_DEFAULTS.timezone), MEANING.timezone, 'DRIFT_TIMEZONE'),
        windows: key(windows.prefault([]), MEANING.windows),
        mode: key(mode.prefault('report'), MEANING.mode, 'DRIFT_MODE'),
        confirmations: key(confirmations.prefault(DRIFT_DEFAULTS.confirmations), MEANING.confirmations),
        error_grace: key(duration.prefault('1h'), MEANING.error_grace),
        labels: key(labels.prefault([...DRIFT_DEFAULTS.labels]), MEANING.labels),
        assignees: key(assignees.prefault([]), MEANING.assignees),
        ignore: key(ignores.prefault([]), MEANING.ignore),
        report: key(report.prefault('issues'), MEANING.report, 'DRIFT_REPORT'),
        max_open_issues: key(openIssues.prefault(DRIFT_DEFAULTS.maxOpenIssues), MEANING.max_open_issues),
        max_concurrent: key(
          count.optional(),
          'Checks at once. Never more than half of all workers, and none while pull requests wait.',
          'DRIFT_MAX_CONCURRENT',
        ),
        max_concurrent_per_repository: key(count.optional(), 'Checks at once of one repository.'),
        max_concurrent_per_credential: key(
          count.optional(),
          'Checks at once that are given the same of `credentials`, so that one account is not asked too much.',
        ),
      })
      .superRefine(oneSchedule),
    {} as never,
  )
  .meta({
    description: 'Drift checks: what really runs, compared with the tracked branch. Repositories may say otherwise.',
  });

export type RawProjectDrift = z.output<typeof projectDrift>;
export type RawRepositoryDrift = z.output<typeof repositoryDrift>;
