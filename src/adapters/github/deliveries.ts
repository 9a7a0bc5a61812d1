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
  const failed = new Map<string, FailedDelivery>();
  const settled = new Set<string>();
  const pages = octokit.paginate.iterator(octokit.rest.apps.listWebhookDeliveries, {
    per_page: 100,
    status: 'failure',
  });
  for await (const { data } of pages) {
    const attempts = data as unknown as readonly Attempt[];
    for (const attempt of attempts.filter((each) => Date.parse(each.delivered_at) >= since.getTime())) {
      note(attempt, failed, settled);
    }
    const oldest = attempts.at(-1);
    if (!oldest || Date.parse(oldest.delivered_at) < since.getTime()) break;
  }
  return [...failed.values()].reverse();
}

/** Newest first: what comes later in the list is older and says nothing new. */
function note(attempt: Attempt, failed: Map<string, FailedDelivery>, settled: Set<string>): void {
  if (failed.has(attempt.guid) || settled.has(attempt.guid)) return;
  if (attempt.status_code >= 200 && attempt.status_code < 300) settled.add(attempt.guid);
  else failed.set(attempt.guid, { id: attempt.guid, hostId: String(attempt.id) });
}

export async function redeliver(octokit: ProbotOctokit, hostId: string): Promise<void> {
  await octokit.rest.apps.redeliverWebhookDelivery({ delivery_id: Number(hostId) });
}
