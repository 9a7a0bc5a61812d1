/** Permission names and levels as GitHub's API writes them ("Permissions required for GitHub Apps"). */
export type PermissionLevel = 'read' | 'write';
export type PermissionSet = Readonly<Record<string, PermissionLevel>>;

/** What one kind of work may do. An App's token is minted for exactly one repository and one of these. */
export type Purpose = 'facts' | 'clone' | 'publish' | 'report' | 'merge' | 'members' | 'identity';

export const purposePermissions: Readonly<Record<Purpose, PermissionSet>> = {
  /** Pull requests, reviews, checks, statuses, comments, people's permission; branch protection needs `administration`, required workflows `actions`. */
  facts: {
    metadata: 'read',
    contents: 'read',
    pull_requests: 'read',
    issues: 'read',
    checks: 'read',
    statuses: 'read',
    administration: 'read',
    actions: 'read',
  },
  clone: { metadata: 'read', contents: 'read' },
  publish: { metadata: 'read', pull_requests: 'write', issues: 'write', statuses: 'write', checks: 'write' },
  /** Opening, reading and editing issues, and commenting on them. */
  report: { metadata: 'read', issues: 'write' },
  /** Merging a pull request writes contents. */
  merge: { metadata: 'read', pull_requests: 'write', contents: 'write' },
  members: { metadata: 'read', members: 'read' },
  identity: { metadata: 'read' },
};

/** Everything the App is registered with: for each permission the highest level any purpose needs. */
export const usedPermissions: PermissionSet = Object.values(purposePermissions).reduce<Record<string, PermissionLevel>>(
  (all, some) => {
    for (const [name, level] of Object.entries(some)) {
      if (all[name] !== 'write') all[name] = level;
    }
    return all;
  },
  {},
);

/** The webhook events that `interpret` understands, and an App or a repository's webhook is subscribed to. */
export const usedEvents = [
  'check_run',
  'check_suite',
  'issue_comment',
  'issues',
  'pull_request',
  'pull_request_review',
  'push',
  'repository',
] as const;

export type UsedEvent = (typeof usedEvents)[number];

/** An installation whose owner has not accepted a permission yet has less than wanted; asking for more answers 422. */
export function withinGranted(wanted: PermissionSet, granted: Readonly<Record<string, string>>): PermissionSet {
  const within: Record<string, PermissionLevel> = { metadata: 'read' };
  for (const [name, level] of Object.entries(wanted)) {
    const has = granted[name];
    if (has === undefined) continue;
    within[name] = has === 'read' ? 'read' : level;
  }
  return within;
}

/** Those of `wanted` that `granted` does not cover, in GitHub's words (`checks: write`). */
export function missingPermissions(
  wanted: PermissionSet,
  granted: Readonly<Record<string, string>>,
): readonly string[] {
  return Object.entries(wanted)
    .filter(([name, level]) => !(granted[name] === 'admin' || granted[name] === 'write' || granted[name] === level))
    .map(([name, level]) => `${name}: ${level}`);
}
