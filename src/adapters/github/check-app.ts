import type { Probot, ProbotOctokit } from 'probot';
import type { ApiContext } from './api-context.ts';
import { missingPermissions, usedEvents, usedPermissions } from './permissions.ts';
import { toHostError } from './to-host-error.ts';

interface AppFacts {
  readonly slug?: string;
  readonly html_url: string;
  readonly permissions: object;
  readonly events: readonly string[];
}

function levels(permissions: object): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(permissions).map(([name, level]) => [name, String(level)]));
}

function appProblems(app: AppFacts): readonly string[] {
  const missing = missingPermissions(usedPermissions, levels(app.permissions));
  const unheard = usedEvents.filter((event) => !app.events.includes(event));
  return [
    missing.length > 0
      ? `The App lacks permissions: ${missing.join(', ')}. Add them in its settings (${app.html_url}).`
      : '',
    unheard.length > 0
      ? `The App is not subscribed to: ${unheard.join(', ')}. Tick them in its settings (${app.html_url}).`
      : '',
  ];
}

async function hookProblems(octokit: ProbotOctokit): Promise<readonly string[]> {
  const { data } = await octokit.rest.apps.getWebhookConfigForApp();
  return [
    data.url ? '' : "The App has no webhook URL: set it to this server's public address followed by /webhooks/github.",
    data.content_type === 'json' ? '' : "The App's webhook must use the content type application/json.",
    data.secret ? '' : "The App's webhook has no secret: set the same one there and here.",
    String(data.insecure_ssl ?? '0') === '0'
      ? ''
      : "The App's webhook does not verify certificates: enable SSL verification.",
  ];
}

async function installationProblems(octokit: ProbotOctokit): Promise<readonly string[]> {
  const installations = await octokit.paginate(octokit.rest.apps.listInstallations, { per_page: 100 });
  if (installations.length === 0) {
    return ['The App is installed nowhere: install it on the account that owns the repositories.'];
  }
  return installations.map((installation) => {
    const { account } = installation;
    const owner = account && 'login' in account ? account.login : String(installation.id);
    if (installation.suspended_at)
      return `The App's installation on ${owner} is suspended: ask the owner to unsuspend it.`;
    const missing = missingPermissions(usedPermissions, levels(installation.permissions));
    return missing.length > 0
      ? `${owner} has not granted the App: ${missing.join(', ')}. The owner accepts them at ${installation.html_url}.`
      : '';
  });
}

/** Every problem of the App's registration, webhook and installations, each with how to mend it. */
export async function checkApp(context: ApiContext, probot: Probot): Promise<readonly string[]> {
  try {
    const octokit = await probot.auth();
    const { data: app } = await octokit.rest.apps.getAuthenticated();
    if (!app) return ['GitHub does not know this App; check its id and private key.'];
    const problems = [...appProblems(app), ...(await hookProblems(octokit)), ...(await installationProblems(octokit))];
    return problems.filter((problem) => problem !== '');
  } catch (error) {
    const told = toHostError(context.clock, 'read the GitHub App', error);
    return [told instanceof Error ? told.message : String(told)];
  }
}
