import { z } from 'zod';
import { REPLAY_WINDOW_MS } from '../core/replay-window.ts';
import { driftDefaults } from './drift-schema.ts';
import { github } from './github-schema.ts';
import { notifications } from './notification-config.ts';
import { group, key } from './schema-keys.ts';
import { credential, mount, repositoryRule, teams, terraformBinary, verifyIgnore } from './server-rules-schema.ts';
import { flag, globs, repoLocks, text } from './schema-parts.ts';
import {
  absolutePath,
  addressOrNetwork,
  count,
  duration,
  encryptionKey,
  listenAddress,
  size,
  url,
} from './server-values.ts';
import { workflows } from './workflow-schema.ts';

/** Above the replay window, by the time that a delivery may wait until it is handled. */
const RUNS_AT_LEAST_DAYS = REPLAY_WINDOW_MS / (24 * 3600_000) + 5;

const runsRetention = duration.refine(
  (ms) => ms >= RUNS_AT_LEAST_DAYS * 24 * 3600_000,
  `must be ${RUNS_AT_LEAST_DAYS}d or more: by them a comment that is delivered again is recognised`,
);

/** Everything the operator can say, and the one place where it is described. */
export const serverConfig = z
  .strictObject(
    {
      listen: key(listenAddress.prefault('127.0.0.1:4141'), 'Address and port of pages, API and webhooks.', 'LISTEN'),
      public_url: key(
        url(['https:', 'http:']).optional(),
        'How people and the VCS host reach `listen`; links are made from it.',
        'PUBLIC_URL',
      ),
      trusted_proxies: key(
        z.array(addressOrNetwork).prefault(['127.0.0.1', '::1']),
        'Addresses or networks of the proxies in front: what they say in `X-Forwarded-For` is taken for the client’s address.',
        'TRUSTED_PROXIES',
      ),
      web_token: key(
        text.pipe(z.string().min(16, 'must have 16 characters or more')).optional(),
        'Token for the pages and the API. Default: made and printed once.',
        'WEB_TOKEN',
      ),
      metrics_listen: key(
        listenAddress.optional(),
        'A listener of its own for `/metrics`, without a token.',
        'METRICS_LISTEN',
      ),
      data_dir: key(
        text.optional(),
        'Folder of everything kept on this machine. Default: `$XDG_DATA_HOME/holdfast`, else `~/.local/share/holdfast`, for root `/var/lib/holdfast`.',
        'DATA_DIR',
      ),
      database_url: key(
        url(['postgres:', 'postgresql:']).optional(),
        'PostgreSQL. Default: an embedded one in `data_dir`.',
        'DATABASE_URL',
      ),
      redis_url: key(
        url(['redis:', 'rediss:']).optional(),
        'Redis for the queue. Default: the queue is in PostgreSQL.',
        'REDIS_URL',
      ),
      log_level: key(z.enum(['debug', 'info', 'warn', 'error']).prefault('info'), 'What is logged.', 'LOG_LEVEL'),
      repositories: key(
        globs.prefault([]),
        'Repositories that are served: globs of `host/owner/name`. Needed by `serve` and `worker`.',
        'REPOSITORIES',
      ),
      triggers: key(
        z
          .array(text.pipe(z.string().regex(/^[^\s`]{1,40}$/, 'must be one word')))
          .min(1, 'at least one word is needed')
          .prefault(['holdfast']),
        'Words that start a command; `atlantis` can be added.',
        'TRIGGERS',
      ),
      sandbox: group(
        {
          kind: key(
            z.enum(['bubblewrap', 'none']).prefault('bubblewrap'),
            'How runs are contained. `none` contains nothing.',
            'SANDBOX',
          ),
          network: key(
            z.enum(['none', 'egress', 'host']).prefault('egress'),
            'What runs reach: nothing, the outside but not this host, or all the host reaches.',
            'SANDBOX_NETWORK',
          ),
          mounts: key(
            z.array(mount).prefault([]),
            'What every run sees of this machine; in the environment `path:ro,path:rw`.',
            'SANDBOX_MOUNTS',
          ),
          memory: key(size.prefault('2GiB'), 'Memory of all processes of one run.', 'SANDBOX_MEMORY'),
          processes: key(count.prefault(512), 'Processes of one run.', 'SANDBOX_PROCESSES'),
          disk: key(size.prefault('4GiB'), 'What one run may write.', 'SANDBOX_DISK'),
          output: key(size.prefault('16MiB'), 'What one command may print; the rest is cut.', 'SANDBOX_OUTPUT'),
        },
        'Containment of everything that runs for a pull request.',
      ),
      parallelism: group(
        {
          global: key(count.prefault(4), 'Runs at once on one worker.', 'PARALLELISM'),
          per_repository: key(
            count.optional(),
            'Runs at once of one repository. Default: as many as on one worker.',
            'PARALLELISM_PER_REPOSITORY',
          ),
        },
        'How much is done side by side.',
      ),
      timeouts: group(
        {
          init: key(duration.prefault('10m'), '`terraform init`.', 'TIMEOUT_INIT'),
          plan: key(duration.prefault('30m'), '`terraform plan`, and reading the plan.', 'TIMEOUT_PLAN'),
          apply: key(duration.prefault('2h'), '`terraform apply`.', 'TIMEOUT_APPLY'),
          step: key(duration.prefault('15m'), 'One custom step.', 'TIMEOUT_STEP'),
          grace: key(duration.prefault('2m'), 'From the request to stop (SIGINT) to the kill.', 'TIMEOUT_GRACE'),
          state_lock: key(duration.prefault('1m'), 'How long Terraform waits for a state lock.', 'TIMEOUT_STATE_LOCK'),
        },
        'How long things may take.',
      ),
      drain_grace: key(
        duration.prefault('10m'),
        'After SIGTERM: how long runs may go on before they are stopped.',
        'DRAIN_GRACE',
      ),
      checkout_strategy: key(
        z.enum(['merge', 'branch']).prefault('merge'),
        '`merge`: plan what would be merged; `branch`: the head alone.',
        'CHECKOUT_STRATEGY',
      ),
      autoplan_drafts: key(flag.prefault(false), 'Plan draft pull requests by themselves.', 'AUTOPLAN_DRAFTS'),
      forks: key(
        z.enum(['off', 'plan']).prefault('off'),
        'Pull requests from forks: `plan` plans them without credentials.',
        'FORKS',
      ),
      automerge: key(flag.prefault(false), 'Merge when all plans are applied.', 'AUTOMERGE'),
      automerge_method: key(
        z.enum(['merge', 'squash', 'rebase']).optional(),
        'How to merge. Default: the host’s.',
        'AUTOMERGE_METHOD',
      ),
      verify: key(
        z.enum(['block', 'warn']).prefault('block'),
        'When the plan made at apply is not the one that was approved: `block` applies nothing, `warn` applies it and says so.',
        'VERIFY',
      ),
      verify_ignore: key(z.array(verifyIgnore).prefault([]), 'Differences that do not count then.'),
      repo_locks: repoLocks.optional().meta({ description: 'When projects are locked, where no rule says otherwise.' }),
      retention: group(
        {
          logs: key(duration.prefault('30d'), 'What runs printed.', 'RETENTION_LOGS'),
          plans: key(duration.prefault('30d'), 'Texts of plans that were applied.', 'RETENTION_PLANS'),
          deliveries: key(
            duration.prefault('14d'),
            'Webhook deliveries and notifications, once they are done with.',
            'RETENTION_DELIVERIES',
          ),
          runs: key(
            runsRetention.prefault('180d'),
            `Pull requests that ended, with their runs and results; of those still open what is neither the newest nor needed. At least ${RUNS_AT_LEAST_DAYS}d.`,
            'RETENTION_RUNS',
          ),
          audit: key(duration.prefault('400d'), 'The audit log.', 'RETENTION_AUDIT'),
          mirrors: key(duration.prefault('30d'), 'Mirrors of repositories nobody asked for.', 'RETENTION_MIRRORS'),
        },
        'How long things are kept at least. Nothing is removed that an open pull request, a lock or a plan still needs.',
      ),
      minimum_free: key(
        size.prefault('1GiB'),
        'With less room than this in `data_dir` no run is started.',
        'MINIMUM_FREE',
      ),
      encryption_key: key(
        encryptionKey.optional(),
        'Key for plans and logs at rest: 32 bytes, base64 or hex. Default: made at the first start, kept in `data_dir`.',
        'ENCRYPTION_KEY',
      ),
      encryption_key_path: key(absolutePath.optional(), 'A file with the key.', 'ENCRYPTION_KEY_PATH'),
      previous_encryption_keys: key(
        z.array(encryptionKey).prefault([]),
        'Former keys, to read what was kept under them.',
        'PREVIOUS_ENCRYPTION_KEYS',
      ),
      credentials: key(
        z.array(credential).prefault([]),
        'What runs are given to reach clouds, registries and module sources.',
      ),
      terraform: group(
        {
          distribution: key(
            z.enum(['terraform', 'opentofu']).prefault('terraform'),
            'Where a project does not say.',
            'TERRAFORM_DISTRIBUTION',
          ),
          binaries: key(z.array(terraformBinary).prefault([]), 'Binaries beside the one on the PATH.'),
        },
        'Which program runs.',
      ),
      provider_mirror: group(
        {
          directory: key(absolutePath.optional(), 'A filesystem mirror that you fill.', 'PROVIDER_MIRROR_DIRECTORY'),
          download: key(
            flag.prefault(true),
            'Fetch missing providers from their registries.',
            'PROVIDER_MIRROR_DOWNLOAD',
          ),
        },
        'Where providers come from.',
      ),
      drift: driftDefaults,
      notifications: key(notifications.prefault([]), 'Who is told of drift beside the issues, and how.'),
      permissions: key(
        teams.optional(),
        'Per command the teams that may use it, beside the permission on the repository.',
      ),
      github: group(github, 'GitHub.'),
      repos: key(
        z.array(repositoryRule).prefault([]),
        'Rules for repositories; of all entries that match, the last that has a key decides it.',
      ),
      workflows: workflows.optional().meta({ description: 'Workflows by name, for rules and repositories to choose.' }),
    },
    { error: (issue) => (issue.code === 'invalid_type' ? 'the file must be a mapping of keys' : undefined) },
  )
  .meta({ title: 'Holdfast server config' });

export type RawServerConfig = z.output<typeof serverConfig>;
