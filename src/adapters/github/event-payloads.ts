import { z } from 'zod';

/**
 * What is used of GitHub's payloads, and nothing more: fields come, go and change without notice, and payloads of
 * older GitHub Enterprise Servers have fewer. Source: GitHub's "Webhook events and payloads".
 */
const id = z.union([z.number().int().nonnegative(), z.string().regex(/^\d{1,20}$/)]).transform(String);
const number = z.number().int().positive().max(Number.MAX_SAFE_INTEGER);

const user = z.object({ id, login: z.string().min(1).max(100), type: z.string().optional() });
const app = z.object({ id });

const base = z.object({
  repository: z.object({ id, full_name: z.string().min(3).max(300) }),
  /** Missing from some events, null for deleted accounts. */
  sender: user.nullish(),
});

export const pullRequestPayload = base.extend({
  pull_request: z.object({ number }),
  changes: z.object({ base: z.unknown() }).partial().nullish(),
});

export const issueCommentPayload = base.extend({
  issue: z.object({ number, pull_request: z.object({}).nullish() }),
  comment: z.object({
    id,
    node_id: z.string(),
    body: z.string(),
    created_at: z.iso.datetime({ offset: true }).optional(),
    user: user.nullable(),
    performed_via_github_app: app.nullish(),
  }),
});

export const issuesPayload = base.extend({ issue: z.object({ number }) });

export const pullRequestReviewPayload = base.extend({ pull_request: z.object({ number }) });

export const checkRunPayload = base.extend({
  check_run: z.object({ head_sha: z.string(), external_id: z.string().nullish(), app: app.nullish() }),
  requested_action: z.object({ identifier: z.string() }).nullish(),
});

export const checkSuitePayload = base.extend({
  check_suite: z.object({ head_sha: z.string(), app: app.nullish() }),
});

export const pushPayload = base.extend({ ref: z.string(), deleted: z.boolean().optional() });

export const repositoryPayload = base.extend({
  changes: z.object({ default_branch: z.unknown() }).partial().nullish(),
});
