import { ApiError, notFound, unprocessable } from '../http/api-error.ts';
import { appOf, type Route, type RouteRequest, repositoryOf } from '../http/route.ts';
import type { App, AppPermissions, Installation, InstallationToken, Repository, Team } from '../state/model.ts';
import { levelAtLeast } from '../state/permissions.ts';
import { installationSees } from '../state/world.ts';
import { appView, installationView, membershipView } from '../views/accounts.ts';
import { repositoryView } from '../views/repositories.ts';
import { when } from '../views/urls.ts';
import { grantCovers } from '../http/caller.ts';
import type { DeliveryRecord } from '../webhooks/deliverer.ts';

const TOKEN_LIFE_MS = 3_600_000;
const KEPT_MS = 3 * 24 * 3_600_000;

function installationsOf(request: RouteRequest): Installation[] {
  const app = appOf(request.caller);
  return request.hub.world.installations.filter((one) => one.app === app);
}

function installationOf(request: RouteRequest): Installation {
  const found = installationsOf(request).find((one) => one.id === Number(request.params['installation_id']));
  if (found === undefined) throw notFound();
  return found;
}

function installationFor(request: RouteRequest, login: string): Installation {
  const found = installationsOf(request).find((one) => one.account.login.toLowerCase() === login.toLowerCase());
  if (found === undefined) throw notFound();
  return found;
}

/** The repositories asked for by id or name; all of them must be the installation's. */
function narrowedRepositories(request: RouteRequest, installation: Installation): Repository[] | undefined {
  const { repository_ids: ids, repositories: names } = request.body;
  if (!Array.isArray(ids) && !Array.isArray(names)) return undefined;
  const all = [...request.hub.world.repositories.values()].filter(
    (one) => !one.deleted && installationSees(installation, one),
  );
  const wanted: unknown[] = [...(Array.isArray(ids) ? ids : []), ...(Array.isArray(names) ? names : [])];
  return wanted.map((key) => {
    const found = all.find((one) => one.id === key || one.name === key);
    if (found === undefined) {
      throw new ApiError(
        422,
        'There is at least one repository that does not exist or is not accessible to the parent installation.',
      );
    }
    return found;
  });
}

function narrowedPermissions(request: RouteRequest, installation: Installation): AppPermissions {
  const asked = request.body['permissions'];
  if (typeof asked !== 'object' || asked === null) return installation.permissions;
  for (const [name, level] of Object.entries(asked as AppPermissions)) {
    if (!levelAtLeast(installation.permissions[name], level)) {
      throw new ApiError(422, 'The permissions requested are not granted to this installation.');
    }
  }
  return { metadata: 'read', ...(asked as AppPermissions) };
}

function createToken(request: RouteRequest) {
  const { world, urls } = request.hub;
  const installation = installationOf(request);
  if (installation.suspendedAt !== undefined) throw new ApiError(403, 'This installation has been suspended');
  const repositories = narrowedRepositories(request, installation);
  const permissions = narrowedPermissions(request, installation);
  const grant: InstallationToken = {
    kind: 'installation',
    token: world.token('ghs'),
    installation,
    permissions,
    repositoryIds: repositories === undefined ? undefined : new Set(repositories.map((one) => one.id)),
    expiresAt: new Date(Date.now() + TOKEN_LIFE_MS),
  };
  world.installationTokens.set(grant.token, grant);
  const selection = repositories === undefined && installation.repositoryIds === undefined ? 'all' : 'selected';
  return {
    token: grant.token,
    expires_at: when(grant.expiresAt),
    permissions,
    repository_selection: selection,
    ...(repositories === undefined ? {} : { repositories: repositories.map((one) => repositoryView(urls, one)) }),
  };
}

function deliveryView(record: DeliveryRecord) {
  return {
    id: record.id,
    guid: record.guid,
    delivered_at: when(record.deliveredAt),
    redelivery: record.redelivery,
    duration: record.durationSeconds,
    status: record.status,
    status_code: record.statusCode,
    event: record.event,
    action: record.action,
    installation_id: record.target.installationId,
    repository_id: record.repositoryId,
    throttled_at: null,
  };
}

function deliveriesOf(request: RouteRequest, app: App): DeliveryRecord[] {
  const oldest = Date.now() - KEPT_MS;
  return request.hub.hooks.log
    .filter((one) => one.target.type === 'integration' && one.target.id === app.id && one.status !== 'pending')
    .filter((one) => one.deliveredAt.getTime() > oldest)
    .toReversed();
}

/** Pages by cursor, which is opaque to the caller; `status` is by the kind of answer. */
function listDeliveries(request: RouteRequest) {
  const { status, cursor, per_page: size = '30' } = request.query;
  const good = (record: DeliveryRecord) => record.statusCode >= 200 && record.statusCode < 400;
  const all = deliveriesOf(request, appOf(request.caller)).filter(
    (one) => status === undefined || (status === 'success') === good(one),
  );
  const before = cursor === undefined ? Number.POSITIVE_INFINITY : Number(cursor.replace(/^v1_/, ''));
  const rest = all.filter((one) => one.id < before);
  const page = rest.slice(0, Math.min(100, Number(size)));
  const last = page.at(-1);
  if (last === undefined || page.length === rest.length) return { body: page.map(deliveryView) };
  const next = new URL(`${request.hub.urls.api}/app/hook/deliveries`);
  for (const [key, value] of Object.entries({ ...request.query, cursor: `v1_${last.id}` }))
    next.searchParams.set(key, value);
  return { body: page.map(deliveryView), headers: { link: `<${next.href}>; rel="next"` } };
}

function deliveryOf(request: RouteRequest): DeliveryRecord {
  const found = deliveriesOf(request, appOf(request.caller)).find(
    (one) => one.id === Number(request.params['delivery_id']),
  );
  if (found === undefined) throw notFound();
  return found;
}

function membership(request: RouteRequest) {
  const { world, urls } = request.hub;
  const team: Team | undefined = world.findTeam(request.params['org'] ?? '', request.params['team_slug'] ?? '');
  const account = world.findAccount(request.params['username'] ?? '');
  const state = account === undefined ? undefined : team?.members.get(account.id);
  if (team === undefined || account === undefined || state === undefined) throw notFound();
  return { body: membershipView(urls, team, account, state) };
}

export const APP_ROUTES: readonly Route[] = [
  {
    operation: 'apps/get-authenticated',
    needs: 'app',
    handle: (request) => ({
      body: {
        ...appView(request.hub.urls, appOf(request.caller)),
        installations_count: installationsOf(request).length,
      },
    }),
  },
  {
    operation: 'apps/list-installations',
    needs: 'app',
    handle: (request) => ({
      list: installationsOf(request),
      show: (one: Installation) => installationView(request.hub.urls, one),
    }),
  },
  {
    operation: 'apps/get-installation',
    needs: 'app',
    handle: (request) => ({ body: installationView(request.hub.urls, installationOf(request)) }),
  },
  {
    operation: 'apps/get-repo-installation',
    needs: 'app',
    handle: (request) => {
      const repository = repositoryOf(request);
      const found = installationsOf(request).find((one) => installationSees(one, repository));
      if (found === undefined) throw notFound();
      return { body: installationView(request.hub.urls, found) };
    },
  },
  {
    operation: 'apps/get-org-installation',
    needs: 'app',
    handle: (request) => ({
      body: installationView(request.hub.urls, installationFor(request, request.params['org'] ?? '')),
    }),
  },
  {
    operation: 'apps/get-user-installation',
    needs: 'app',
    handle: (request) => ({
      body: installationView(request.hub.urls, installationFor(request, request.params['username'] ?? '')),
    }),
  },
  {
    operation: 'apps/create-installation-access-token',
    needs: 'app',
    handle: (request) => ({ status: 201, body: createToken(request) }),
  },
  {
    operation: 'apps/list-repos-accessible-to-installation',
    needs: 'installation',
    handle: (request) => {
      const { caller, hub } = request;
      if (caller.kind !== 'installation') throw notFound();
      const list = [...hub.world.repositories.values()].filter((one) => !one.deleted && grantCovers(caller.grant, one));
      return {
        list,
        show: (one: Repository) => repositoryView(hub.urls, one, 'read'),
        wrap: (page: unknown[], total: number) => ({
          total_count: total,
          repository_selection: caller.installation.repositoryIds === undefined ? 'all' : 'selected',
          repositories: page,
        }),
      };
    },
  },
  {
    operation: 'apps/get-webhook-config-for-app',
    needs: 'app',
    handle: ({ hub }) => ({
      body: { content_type: 'json', insecure_ssl: '0', secret: '********', url: hub.hooks.config?.url ?? '' },
    }),
  },
  { operation: 'apps/list-webhook-deliveries', needs: 'app', handle: listDeliveries },
  {
    operation: 'apps/get-webhook-delivery',
    needs: 'app',
    handle: (request) => {
      const record = deliveryOf(request);
      const payload: unknown = JSON.parse(record.body);
      const response = { headers: {}, payload: record.responseBody };
      return {
        body: {
          ...deliveryView(record),
          url: request.hub.hooks.config?.url ?? '',
          request: { headers: record.headers, payload },
          response,
        },
      };
    },
  },
  {
    operation: 'apps/redeliver-webhook-delivery',
    needs: 'app',
    handle: (request) => {
      const record = deliveryOf(request);
      if (request.hub.hooks.config === undefined)
        throw unprocessable({ resource: 'Hook', field: 'url', code: 'missing_field' });
      request.hub.hooks.redeliver(record);
      return { status: 202, body: {} };
    },
  },
  {
    operation: 'teams/get-membership-for-user-in-org',
    needs: { role: 'read', app: [{ members: 'read' }] },
    handle: membership,
  },
];
