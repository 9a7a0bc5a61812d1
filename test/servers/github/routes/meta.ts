import { notFound } from '../http/api-error.ts';
import { limitKey } from '../http/exchange.ts';
import { accountOf, type Route } from '../http/route.ts';
import { atLeast, roleOf } from '../state/permissions.ts';
import { publicUser } from '../views/accounts.ts';
import { repositoryView } from '../views/repositories.ts';

export const META_ROUTES: readonly Route[] = [
  {
    operation: 'meta/get',
    needs: 'anyone',
    handle: () => ({
      body: {
        verifiable_password_authentication: false,
        hooks: ['127.0.0.1/32'],
        web: ['127.0.0.1/32'],
        api: ['127.0.0.1/32'],
        git: ['127.0.0.1/32'],
      },
    }),
  },
  {
    operation: 'rate-limit/get',
    needs: 'anyone',
    handle: ({ limits, caller }) => {
      const key = limitKey(caller);
      const core = limits.view(key, 'core');
      const graphql = limits.view(key, 'graphql');
      return {
        body: { resources: { core, search: { ...core, limit: 30, remaining: 30, used: 0 }, graphql }, rate: core },
      };
    },
  },
  {
    operation: 'users/get-authenticated',
    needs: 'user',
    handle: ({ hub, caller }) => ({ body: publicUser(hub.urls, accountOf(caller)) }),
  },
  {
    operation: 'users/get-by-username',
    needs: 'anyone',
    handle: ({ hub, params }) => {
      const account = hub.world.findAccount(params['username'] ?? '');
      if (account === undefined) throw notFound();
      return { body: publicUser(hub.urls, account) };
    },
  },
  {
    operation: 'repos/list-for-authenticated-user',
    needs: 'user',
    handle: ({ hub, caller }) => {
      const account = accountOf(caller);
      const list = [...hub.world.repositories.values()].filter(
        (one) => !one.deleted && atLeast(roleOf(one, account), 'read'),
      );
      return { list, show: (one: (typeof list)[number]) => repositoryView(hub.urls, one, roleOf(one, account)) };
    },
  },
];
