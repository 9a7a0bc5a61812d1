import type { ServerConfig } from '../../config/server-config.ts';
import { createDeliveryStore } from '../../adapters/postgres/delivery-store.ts';
import { compileGlob } from '../../lib/glob.ts';
import type { VcsHost } from '../../ports/vcs-host.ts';
import { type Finding, good, note, problem, reasonOf } from './finding.ts';
import type { OpenedDatabase } from './open-database.ts';

/** So many of the repositories that the credential sees are compared with the allowlist. */
const MOST_REPOSITORIES = 1_000;
const SHOWN = 5;

/** Credentials and permissions, the allowlist, and whether webhooks arrive. */
export async function checkHost(
  config: ServerConfig,
  host: VcsHost,
  database: OpenedDatabase | undefined,
): Promise<readonly Finding[]> {
  const refused = await host.checkAccess();
  const who = await host.whoAmI().then(
    ({ login }) => good(`${host.host}: ${login}`),
    (error: unknown) => problem(`${host.host} cannot be asked: ${reasonOf(error)}`),
  );
  const access = refused.map((text) => problem(text));
  if (who.level === 'problem') return access.length > 0 ? access : [who];
  return [who, ...access, await checkAllowlist(config, host), ...(await checkWebhooks(config, host, database))];
}

async function checkAllowlist({ repositories }: ServerConfig, host: VcsHost): Promise<Finding> {
  if (repositories.length === 0)
    return problem(
      'no repository is allowed',
      'Set HOLDFAST_REPOSITORIES, for example github.com/your-organisation/*.',
    );
  try {
    const seen = await host.listRepositories(MOST_REPOSITORIES);
    const served = seen.filter((name) => matches(repositories, `${host.host}/${name}`));
    if (served.length > 0) return good(`serves ${listed(served)}`);
    const others = seen.length === 0 ? 'it sees none' : `it sees ${listed(seen)}`;
    const mend =
      'Correct HOLDFAST_REPOSITORIES, or give the credential access: install the App there, or invite the user.';
    return problem(`no repository that the credential sees is allowed by ${repositories.join(', ')}; ${others}`, mend);
  } catch (error) {
    return problem(`the repositories could not be listed: ${reasonOf(error)}`);
  }
}

function matches(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => {
    const glob = compileGlob(pattern.toLowerCase());
    return 'matches' in glob && glob.matches(name.toLowerCase());
  });
}

function listed(names: readonly string[]): string {
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return `${names.slice(0, SHOWN).join(', ')}${more}`;
}

async function checkWebhooks(
  config: ServerConfig,
  host: VcsHost,
  database: OpenedDatabase | undefined,
): Promise<readonly Finding[]> {
  const url = `${config.publicUrl ?? 'https://YOUR-ADDRESS'}/webhooks/github`;
  const findings: Finding[] = [];
  if (config.publicUrl === undefined) {
    const mend = `Set HOLDFAST_PUBLIC_URL to the address at which ${host.host} reaches this server.`;
    findings.push(note('there is no public address: links in comments lead to the address that is listened on', mend));
  }
  if (database === undefined) return findings;
  const mend = `Set the webhook to ${url}, content type application/json, with the secret of HOLDFAST_GITHUB_WEBHOOK_SECRET; its page on the host lists recent deliveries and what became of them.`;
  const latest = database.kind === 'new' ? undefined : await findLatest(database, host.host);
  if (latest instanceof Date) return [...findings, good(`the newest webhook came at ${latest.toISOString()}`)];
  const text = `no webhook has ever arrived from ${host.host}`;
  return [...findings, latest === 'unknown' || database.kind === 'new' ? note(text, mend) : problem(text, mend)];
}

/** `unknown` in a database without tables: nobody has waited for one yet. */
async function findLatest({ db }: OpenedDatabase, host: string): Promise<Date | undefined | 'unknown'> {
  return createDeliveryStore(db)
    .findLatest(host)
    .catch(() => 'unknown' as const);
}
