import { createHmac, randomUUID } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createJobQueue } from './adapters/bullmq/create-job-queue.ts';
import { createBubblewrapSandbox } from './adapters/bubblewrap/bubblewrap-sandbox.ts';
import { lockDataDirectory } from './adapters/embedded-postgres/lock-data-directory.ts';
import { startEmbeddedPostgres } from './adapters/embedded-postgres/start-embedded-postgres.ts';
import { createGitMirror } from './adapters/git/create-git-mirror.ts';
import type { GitNetwork } from './adapters/git/git-environment.ts';
import { createGithubHost } from './adapters/github/github-host.ts';
import { scaledWriteLimits } from './adapters/github/write-budget.ts';
import { createHclParser } from './adapters/hcl2json/index.ts';
import { createUnsandboxed } from './adapters/no-sandbox/no-sandbox.ts';
import { createNotifier } from './adapters/notifications/create-notifier.ts';
import { connectPostgres } from './adapters/postgres/connection.ts';
import { createCounterStore } from './adapters/postgres/counter-store.ts';
import { createDeliveryStore } from './adapters/postgres/delivery-store.ts';
import { migrate } from './adapters/postgres/migrate.ts';
import { createDriftOverview } from './adapters/postgres/drift/drift-overview.ts';
import { createDriftStore } from './adapters/postgres/drift/drift-store.ts';
import { createNotificationStore } from './adapters/postgres/notification-store.ts';
import { createReportStore } from './adapters/postgres/drift/report-store.ts';
import { createPublicationStore } from './adapters/postgres/publication-store.ts';
import { createPullRequestStore } from './adapters/postgres/pull-request-store.ts';
import { createRetention } from './adapters/postgres/retention.ts';
import { createRunStore } from './adapters/postgres/run-store.ts';
import { createSessionStore } from './adapters/postgres/session-store.ts';
import { createSettingStore, type SettingStore } from './adapters/postgres/setting-store.ts';
import { announceWorker } from './adapters/postgres/worker-presence.ts';
import {
  type DataDirectories,
  type InstallationSecrets,
  prepareDataDirectory,
  readInstallationSecrets,
} from './config/installation.ts';
import type { ServerConfig } from './config/server-config.ts';
import { addressTo } from './core/drift/receivers.ts';
import { createOutboundDispatcher } from './lib/outbound-dispatcher.ts';
import { removeTree } from './lib/remove-tree.ts';
import { createSeal, UnsealError } from './lib/seal.ts';
import { Secret } from './lib/secret.ts';
import { createWorkerId, isGoneFromHere } from './lib/worker-id.ts';
import type { Logger } from './ports/logger.ts';
import type { Notifier } from './ports/notifier.ts';
import type { Mount, Sandbox } from './ports/sandbox.ts';
import type { VcsHost } from './ports/vcs-host.ts';

/** The users of sandboxes when Holdfast is started as root; nothing else of the machine should use them. */
const SLOT_UIDS = { first: 2_000_000_000, count: 256 };
const GIT_TIMEOUT_MS = 10 * 60_000;

/** Everything of the outside that server and worker share, connected and ready. */
export type Infrastructure = Awaited<ReturnType<typeof openInfrastructure>>;

/** Opens database, queue, hosts and tools. What was opened is closed again when a later part fails. */
export async function openInfrastructure(config: ServerConfig, logger: Logger) {
  await using opening = new AsyncDisposableStack();
  const directories = await prepareDataDirectory(config);
  const secrets = await readInstallationSecrets(config);
  const seal = createSeal(secrets.encryptionKeys);
  const databaseUrl = await openDatabase(opening, config, logger);
  const connection = opening.adopt(connectPostgres({ url: databaseUrl, logger }), (open) => open.close());
  await migrate(connection.db);
  const workerId = createWorkerId();
  opening.adopt(await announceWorker({ url: databaseUrl, workerId, logger }), (presence) => presence.close());
  const workDirectory = await openWorkDirectory(directories, logger);
  opening.defer(() => removeLeft(workDirectory, logger));
  const sandbox = openSandbox(config, { slots: directories.slots, work: workDirectory }, databaseUrl);
  await checkMounts(sandbox, config);
  const settings = createSettingStore(connection.db, seal);
  const digestKey = await readDigestKey(settings, secrets);
  const queue = await createJobQueue({
    backend:
      config.redisUrl === undefined ? { kind: 'postgres', url: databaseUrl } : { kind: 'redis', url: config.redisUrl },
    logger,
  });
  opening.defer(() => queue.close());
  const hcl = createHclParser();
  opening.defer(() => hcl.close());
  return {
    config,
    logger,
    directories,
    secrets,
    seal,
    queue,
    hcl,
    db: connection.db,
    pool: connection.pool,
    workerId,
    isDeadOwner: isGoneFromHere,
    now: () => new Date(),
    hosts: openHosts(config, logger),
    mirror: createGitMirror({
      directory: directories.mirrors,
      timeoutMs: GIT_TIMEOUT_MS,
      environment: await gitNetwork(config, directories),
    }),
    sandbox,
    deliveries: createDeliveryStore(connection.db),
    runs: createRunStore(connection.db),
    pulls: createPullRequestStore(connection.db),
    publications: createPublicationStore(connection.db),
    drift: createDriftStore(connection.db, addressTo(config.notifications)),
    overview: createDriftOverview(connection.db),
    notifications: createNotificationStore(connection.db),
    notifiers: openNotifiers(config),
    counters: createCounterStore(connection.db),
    reports: createReportStore(connection.db),
    retention: createRetention(connection.db),
    sessions: createSessionStore(connection.db),
    digestKey,
    workDirectory,
    close: closer(opening.move()),
  };
}

/** A folder of this process alone. What else is there was left by one that is gone: the data directory is locked. */
async function openWorkDirectory({ work }: DataDirectories, logger: Logger): Promise<string> {
  for (const name of await readdir(work)) await removeLeft(join(work, name), logger);
  const own = join(work, `${process.pid}-${randomUUID().slice(0, 8)}`);
  await mkdir(own, { mode: 0o711 });
  return own;
}

/** What cannot be removed takes room and harms nobody, so it keeps nothing from starting or ending. */
async function removeLeft(path: string, logger: Logger): Promise<void> {
  await removeTree(path).catch((error: unknown) =>
    logger.warn({ path, error }, 'what a run left behind cannot be removed; remove it by hand'),
  );
}

/** git takes certificates as a file only. */
async function gitNetwork({ proxyUrl, noProxy, github }: ServerConfig, { root }: DataDirectories): Promise<GitNetwork> {
  const proxy =
    proxyUrl === undefined
      ? {}
      : { httpProxy: proxyUrl.reveal(), httpsProxy: proxyUrl.reveal(), noProxy: noProxy.join(',') };
  if (github?.ca === undefined) return proxy;
  const caFile = join(root, 'github-ca.pem');
  await writeFile(caFile, github.ca);
  return { ...proxy, caFile };
}

function closer(stack: AsyncDisposableStack): () => Promise<void> {
  return () => stack.disposeAsync();
}

/** The data directory is for one Holdfast alone, whoever keeps the database: the embedded one takes the directory itself. */
async function openDatabase(opening: AsyncDisposableStack, config: ServerConfig, logger: Logger): Promise<Secret> {
  if (config.databaseUrl === undefined) return startDatabase(opening, config, logger);
  const lock = await lockDataDirectory(config.dataDir);
  opening.defer(() => lock.release());
  return config.databaseUrl;
}

async function startDatabase(opening: AsyncDisposableStack, config: ServerConfig, logger: Logger): Promise<Secret> {
  const database = await startEmbeddedPostgres({ dataDirectory: config.dataDir, logger });
  opening.defer(() => database.stop());
  return database.url;
}

export function openHosts(config: ServerConfig, logger: Logger): ReadonlyMap<string, VcsHost> {
  const { github } = config;
  if (github === undefined) return new Map();
  const host = createGithubHost({
    apiUrl: github.apiUrl,
    cloneUrlTemplate: github.cloneUrl,
    cloneCredential: github.cloneCredential,
    auth: github.auth,
    log: logger.child({ host: github.host }),
    writeLimits: scaledWriteLimits(github.writesPerMinute, github.writesPerHour),
    dispatcher: createOutboundDispatcher({ proxyUrl: config.proxyUrl, noProxy: config.noProxy, ca: github.ca }),
  });
  return new Map([[host.host, host]]);
}

function openNotifiers({ notifications, proxyUrl, noProxy }: ServerConfig): ReadonlyMap<string, Notifier> {
  const now = () => new Date();
  return new Map(notifications.map((one) => [one.name, createNotifier({ ...one, proxyUrl, noProxy, now })]));
}

/** `work`: a folder that is removed when this program is gone, however it ended. */
export function openSandbox(
  config: ServerConfig,
  { slots, work }: { readonly slots: string; readonly work: string },
  databaseUrl: Secret | undefined,
): Sandbox {
  if (config.sandbox.kind === 'none') return createUnsandboxed({ directory: work });
  const denied = [databaseUrl, config.redisUrl].flatMap((url) => (url === undefined ? [] : hostsOf(url)));
  return createBubblewrapSandbox({
    slotsDirectory: slots,
    pipesDirectory: work,
    uidRange: SLOT_UIDS,
    deniedAddresses: denied,
  });
}

/** What the server's config shows to every run. */
export function operatorMounts({ sandbox, providerMirror }: ServerConfig): readonly Mount[] {
  const own = sandbox.mounts.map(({ path, mode }): Mount => ({ source: path, mode }));
  const { directory } = providerMirror;
  if (directory === undefined || own.some(({ source }) => source === directory)) return own;
  return [...own, { source: directory, mode: 'ro' }];
}

/** Every run would fail of it, so the program does not start. */
async function checkMounts(sandbox: Sandbox, config: ServerConfig): Promise<void> {
  const problems = await sandbox.checkMounts(operatorMounts(config));
  if (problems.length === 0) return;
  throw new Error(
    `no run could be shown what sandbox.mounts (HOLDFAST_SANDBOX_MOUNTS) and provider_mirror.directory name: ${problems.join(' ')}`,
  );
}

function hostsOf(url: Secret): readonly string[] {
  const name = URL.parse(url.reveal())?.hostname ?? '';
  return name === '' || name.startsWith('/') || name.includes('%') ? [] : [name.replace(/^\[|\]$/g, '')];
}

/**
 * A key that does not open what the database holds is lost or changed, and that is said before anything is sealed with it. Plans are compared
 * between machines and over years, so their key stays when the encryption key, from which it was first made, is replaced. The check stays
 * sealed with the first encryption key: plans and logs are not sealed anew either, so that one has to stay named.
 */
async function readDigestKey(
  settings: SettingStore,
  { encryptionKeys }: InstallationSecrets,
): Promise<Secret<Uint8Array>> {
  const first = createHmac('sha256', encryptionKeys[0].reveal()).update('plan digests').digest();
  try {
    await settings.ensure('key-check', 'holdfast');
    return new Secret(new Uint8Array(await settings.ensureSealedAnew('digest-key', first)));
  } catch (error) {
    if (!(error instanceof UnsealError)) throw error;
    throw new Error(
      `The encryption key is not the one this database was used with, or a former one is no longer named: ${error.message}. Plans and logs in it could not be read. Restore the key (HOLDFAST_ENCRYPTION_KEY, or encryption.key in the data directory), or name it in HOLDFAST_PREVIOUS_ENCRYPTION_KEYS.`,
      { cause: error },
    );
  }
}
