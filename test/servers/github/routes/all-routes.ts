import type { Route } from '../http/route.ts';
import { APP_ROUTES } from './apps.ts';
import { CHECK_ROUTES } from './checks.ts';
import { COMMENT_ROUTES } from './comments.ts';
import { ISSUE_ROUTES } from './issues.ts';
import { META_ROUTES } from './meta.ts';
import { PULL_ROUTES } from './pulls.ts';
import { REPOSITORY_ROUTES } from './repositories.ts';
import { STATUS_ROUTES } from './statuses.ts';

export const ALL_ROUTES: readonly Route[] = [
  ...META_ROUTES,
  ...APP_ROUTES,
  ...REPOSITORY_ROUTES,
  ...PULL_ROUTES,
  ...ISSUE_ROUTES,
  ...COMMENT_ROUTES,
  ...STATUS_ROUTES,
  ...CHECK_ROUTES,
];
