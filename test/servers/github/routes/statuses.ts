import { ApiError, notFound, unprocessable } from '../http/api-error.ts';
import { accountOf, needs, type Route, repositoryOf, text } from '../http/route.ts';
import { addStatus, countStatuses } from '../operations/checks.ts';
import type { CommitStatus } from '../state/model.ts';
import { resolveCommit } from '../state/git-store.ts';
import { combinedStatusView, latestStatuses, statusView } from '../views/commits.ts';
import { commitOf } from './repositories.ts';

const READ = needs('read', { statuses: 'read' });
const MAX_PER_CONTEXT = 1_000;
const MAX_DESCRIPTION = 140;
const MAX_CONTEXT = 255;

export const STATUS_ROUTES: readonly Route[] = [
  {
    operation: 'repos/create-commit-status',
    needs: needs('write', { statuses: 'write' }),
    handle: async (request) => {
      const repository = repositoryOf(request);
      const sha = await resolveCommit(repository.gitDirectory, request.params['sha'] ?? '');
      if (sha === undefined || sha !== request.params['sha'])
        throw new ApiError(422, `No commit found for SHA: ${request.params['sha']}`);
      const context = text(request, 'context') ?? 'default';
      const description = text(request, 'description') ?? null;
      if ((description ?? '').length > MAX_DESCRIPTION) {
        throw unprocessable({
          resource: 'Status',
          field: 'description',
          code: 'custom',
          message: `description is too long (maximum is ${MAX_DESCRIPTION} characters)`,
        });
      }
      if (context.length > MAX_CONTEXT) {
        throw unprocessable({
          resource: 'Status',
          field: 'context',
          code: 'custom',
          message: `context is too long (maximum is ${MAX_CONTEXT} characters)`,
        });
      }
      const targetUrl = text(request, 'target_url') ?? null;
      if (targetUrl !== null && !/^https?:\/\//.test(targetUrl)) {
        throw unprocessable({
          resource: 'Status',
          field: 'target_url',
          code: 'custom',
          message: 'target_url must use http(s) scheme',
        });
      }
      if (countStatuses(repository, sha, context) >= MAX_PER_CONTEXT) {
        throw unprocessable({
          resource: 'Status',
          field: 'base',
          code: 'custom',
          message: 'This SHA and context has reached the maximum number of statuses.',
        });
      }
      const state = text(request, 'state') as CommitStatus['state'];
      const status = addStatus(request.hub, repository, {
        sha,
        state,
        context,
        description,
        targetUrl,
        creator: accountOf(request.caller),
      });
      return { status: 201, body: statusView(request.hub.urls, repository, status) };
    },
  },
  {
    operation: 'repos/list-commit-statuses-for-ref',
    needs: READ,
    handle: async (request) => {
      const repository = repositoryOf(request);
      const sha = await resolveCommit(repository.gitDirectory, request.params['ref'] ?? '');
      if (sha === undefined) throw notFound();
      const list = repository.statuses.filter((status) => status.sha === sha).toReversed();
      return { list, show: (status: CommitStatus) => statusView(request.hub.urls, repository, status) };
    },
  },
  {
    operation: 'repos/get-combined-status-for-ref',
    needs: READ,
    handle: async (request) => {
      const repository = repositoryOf(request);
      const { sha } = await commitOf(repository, request.params['ref'] ?? '');
      const latest = latestStatuses(repository, sha);
      return {
        list: latest,
        wrap: (page) => combinedStatusView(request.hub.urls, repository, sha, latest, page as CommitStatus[]),
      };
    },
  },
];
