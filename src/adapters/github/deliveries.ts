import type { ProbotOctokit } from 'probot';
import type { FailedDelivery } from './credentials.ts';

interface Attempt {
  readonly id: number;
  readonly guid: string;
  readonly delivered_at: string;
  readonly status_code: number;
}

/**
 * Deliveries whose last attempt failed, oldest first, each once. GitHub keeps them for three days and repeats none by
 * itself; a redelivery bears the same id. Servers that do not know the filter answer with all, so it is checked here.
 */
export async function listFailedDeliveries(octokit: ProbotOctokit, since: Date): Promise<readonly FailedDelivery[]> {
  const latest = new Map<string, Attempt>();
  const pages = octokit.paginate.iterator(octokit.rest.apps.listWebhookDeliveries, {
    per_page: 100,
    status: 'failure',
  });
  for await (const { data } of pages) {
    const recent = data.filter((attempt) => Date.parse(attempt.delivered_at) >= since.getTime());
    for (const attempt of recent) keepLatest(latest, attempt);
    // Newest come first; a page with an old one is the last that matters.
    if (recent.length < data.length) break;
  }
  return [...latest.values()]
    .filter(({ status_code: code }) => code < 200 || code >= 300)
    .sort((one, other) => Date.parse(one.delivered_at) - Date.parse(other.delivered_at))
    .map(({ guid, id }) => ({ id: guid, hostId: String(id) }));
}

function keepLatest(latest: Map<string, Attempt>, attempt: Attempt): void {
  const known = latest.get(attempt.guid);
  if (!known || Date.parse(known.delivered_at) < Date.parse(attempt.delivered_at)) latest.set(attempt.guid, attempt);
}

export async function redeliver(octokit: ProbotOctokit, hostId: string): Promise<void> {
  await octokit.rest.apps.redeliverWebhookDelivery({ delivery_id: Number(hostId) });
}
