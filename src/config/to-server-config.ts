import { isAbsolute, join, resolve } from 'node:path';
import type { ConfigProblem } from '../core/reply.ts';
import { DEFAULT_WORKFLOW } from '../core/workflow.ts';
import { Secret } from '../lib/secret.ts';
import { toGithub } from './github-config.ts';
import type { LoadOptions } from './load-server-config.ts';
import { toNotifications } from './notification-config.ts';
import { formatPath } from './schema-problems.ts';
import type { CredentialConfig, ServerConfig } from './server-config.ts';
import type { Environment } from './server-environment.ts';
import type { RawServerConfig } from './server-schema.ts';
import { toDrift, toRules } from './server-rules.ts';
import { encryptionKey } from './server-values.ts';
import { resolveValue } from './value-source.ts';
import { toWorkflows } from './workflow-schema.ts';
import type { Path, YamlFile } from './yaml-file.ts';

/** Collects what only shows when values are brought together, and reads what they point at. */
export interface Resolver {
  problem(path: Path, message: string): void;
  /** undefined after a problem. */
  readFile(path: Path, file: string): string | undefined;
  readonly environment: Environment;
}

export function toServerConfig(
  raw: RawServerConfig,
  environment: Environment,
  options: LoadOptions,
  yaml: YamlFile,
): { readonly config: ServerConfig } | { readonly problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const resolver = makeResolver(environment, options, yaml, problems);
  const config: ServerConfig = {
    ...toPlaces(raw, environment, options),
    ...toRunning(raw),
    ...toKeys(raw, resolver),
    credentials: raw.credentials.map((credential, index) => toCredential(credential, ['credentials', index], resolver)),
    github: toGithub(raw.github, resolver),
    repos: toRules(raw, resolver),
    drift: toDrift(raw, resolver),
    notifications: toNotifications(raw.notifications, resolver),
    permissions: raw.permissions ?? {},
    workflows: new Map([['default', DEFAULT_WORKFLOW], ...toWorkflows(raw.workflows)]),
  };
  if (options.purpose === 'serve') checkService(config, resolver, problems);
  return problems.length > 0 ? { problems } : { config };
}

function makeResolver(
  environment: Environment,
  options: LoadOptions,
  yaml: YamlFile,
  problems: ConfigProblem[],
): Resolver {
  const problem = (path: Path, message: string) => {
    problems.push({
      file: yaml.file,
      line: yaml.lineOf(path),
      message: `${formatPath(path)}: ${message}`,
      suggestion: undefined,
    });
  };
  const readFile = (path: Path, file: string) => {
    try {
      return options.readFile(file);
    } catch (error) {
      problem(path, `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };
  return { problem, readFile, environment };
}

function toPlaces(raw: RawServerConfig, environment: Environment, options: LoadOptions) {
  const proxy = environment.HTTPS_PROXY || environment.https_proxy;
  const own = environment.HOME && !options.superuser ? join(environment.HOME, '.local/share') : '/var/lib';
  const home = environment.XDG_DATA_HOME || own;
  const dataDir = raw.data_dir ?? join(home, 'holdfast');
  return {
    listen: raw.listen,
    publicUrl: raw.public_url,
    trustedProxies: raw.trusted_proxies,
    webToken: secret(raw.web_token),
    metricsListen: raw.metrics_listen,
    dataDir: isAbsolute(dataDir) ? dataDir : resolve(options.workingDirectory, dataDir),
    databaseUrl: secret(raw.database_url),
    redisUrl: secret(raw.redis_url),
    logLevel: raw.log_level,
    proxyUrl: secret(proxy || undefined),
    noProxy: (environment.NO_PROXY || environment.no_proxy || '')
      .split(',')
      .map((host) => host.trim())
      .filter(Boolean),
  };
}

function toRunning(raw: RawServerConfig) {
  const { sandbox, timeouts, retention } = raw;
  return {
    repositories: raw.repositories,
    triggers: raw.triggers,
    sandbox: {
      kind: sandbox.kind,
      network: sandbox.network,
      mounts: sandbox.mounts,
      memoryBytes: sandbox.memory,
      processes: sandbox.processes,
      diskBytes: sandbox.disk,
      outputBytes: sandbox.output,
    },
    parallelism: {
      global: raw.parallelism.global,
      perRepository: raw.parallelism.per_repository ?? raw.parallelism.global,
    },
    timeouts: {
      initMs: timeouts.init,
      planMs: timeouts.plan,
      applyMs: timeouts.apply,
      stepMs: timeouts.step,
      graceMs: timeouts.grace,
      stateLockMs: timeouts.state_lock,
    },
    drainGraceMs: raw.drain_grace,
    checkoutStrategy: raw.checkout_strategy,
    autoplanDrafts: raw.autoplan_drafts,
    forks: raw.forks,
    automerge: raw.automerge,
    automergeMethod: raw.automerge_method,
    verify: raw.verify,
    verifyIgnore: raw.verify_ignore,
    repoLocks: raw.repo_locks?.mode ?? ('on_plan' as const),
    retention: {
      logsMs: retention.logs,
      plansMs: retention.plans,
      deliveriesMs: retention.deliveries,
      mirrorsMs: retention.mirrors,
      runsMs: retention.runs,
      auditMs: retention.audit,
    },
    minimumFreeBytes: raw.minimum_free,
    terraform: raw.terraform,
    providerMirror: { directory: raw.provider_mirror.directory, download: raw.provider_mirror.download },
  };
}

function toKeys(raw: RawServerConfig, resolver: Resolver) {
  const previousEncryptionKeys = raw.previous_encryption_keys.map((key) => new Secret(key));
  if (raw.encryption_key_path === undefined) {
    return { encryptionKey: raw.encryption_key && new Secret(raw.encryption_key), previousEncryptionKeys };
  }
  const path = ['encryption_key_path'];
  if (raw.encryption_key !== undefined) resolver.problem(path, 'cannot be set together with encryption_key');
  const text = resolver.readFile(path, raw.encryption_key_path);
  const parsed = text === undefined ? undefined : encryptionKey.safeParse(text);
  if (parsed?.success === false)
    resolver.problem(path, `the file ${parsed.error.issues[0]?.message ?? 'holds no key'}`);
  return { encryptionKey: parsed?.data && new Secret(parsed.data), previousEncryptionKeys };
}

function toCredential(raw: RawServerConfig['credentials'][number], path: Path, resolver: Resolver): CredentialConfig {
  const env = Object.entries(raw.env).flatMap(([name, source]) => {
    const value = resolveValue(source, [...path, 'env', name], resolver);
    return value === undefined ? [] : [[name, new Secret(value)] as const];
  });
  const [program, ...args] = raw.command ?? [];
  return {
    name: raw.name,
    phases: raw.phases,
    selector: raw.selector,
    env: Object.fromEntries(env),
    files: raw.files,
    command: program === undefined ? undefined : [program, ...args],
  };
}

function checkService(config: ServerConfig, resolver: Resolver, problems: readonly ConfigProblem[]): void {
  const told = problems.some((problem) => problem.message.startsWith('github.'));
  if (config.repositories.length === 0) {
    resolver.problem(
      ['repositories'],
      'is required: name what is served, for example HOLDFAST_REPOSITORIES=github.com/your-organisation/*',
    );
  }
  if (config.github === undefined && !told) {
    resolver.problem(
      ['github'],
      'is required: a token (HOLDFAST_GITHUB_TOKEN) or an App (HOLDFAST_GITHUB_APP_ID and HOLDFAST_GITHUB_PRIVATE_KEY)',
    );
  }
}

function secret(value: string | undefined): Secret | undefined {
  return value === undefined ? undefined : new Secret(value);
}
