import type { FastifyInstance, FastifyRequest } from 'fastify';
import { decideRelease, type Release } from '../core/decide-release.ts';
import type { ProjectKey } from '../core/project.ts';
import type { PullRequestId } from '../core/record.ts';
import { wake } from '../jobs/wake.ts';
import { renderLocksPage } from '../pages/pages.ts';
import type { FrameView, NoticeView } from '../pages/view.ts';
import { refuseForm } from './login-routes.ts';
import type { PageAccess } from './page-access.ts';
import type { PageSources } from './page-sources.ts';
import { presentLocks } from './present-locks.ts';
import { formField, queryParameter } from './request-fields.ts';

/** Who acts, in the audit log: people are known here by the token alone. */
const ACTOR = 'page';
/** A pull request whose facts change faster than this is being worked on. */
const ATTEMPTS = 5;

type Outcome = Release['kind'] | 'busy';

/** The address says which, never the words: anybody can write an address. */
const NOTICES: Readonly<Record<Outcome, NoticeView>> = {
  released: { good: true, text: 'The lock was released.' },
  not_held: { good: false, text: 'Nothing was done: that pull request does not hold this lock any more.' },
  being_applied: { good: false, text: 'Nothing was done: the project is being applied. Cancel that first, or wait.' },
  busy: { good: false, text: 'Nothing was done: the pull request is changing just now. Try again.' },
};

/** The list of project locks, and releasing one by hand. */
export function registerLockRoutes(
  app: FastifyInstance,
  sources: PageSources,
  access: PageAccess,
  frame: (request: FastifyRequest) => FrameView,
): void {
  app.get('/locks', async (request, reply) => {
    const code = queryParameter(request, 'notice') ?? '';
    const notice = Object.hasOwn(NOTICES, code) ? NOTICES[code as Outcome] : undefined;
    const page = renderLocksPage({ ...frame(request), locks: await presentLocks(sources), notice });
    return reply.type('text/html; charset=utf-8').send(page);
  });
  app.post('/locks/release', async (request, reply) => {
    if (!access.mayChange(request, formField(request, 'csrf'))) return refuseForm(request, reply);
    const project = (queryParameter(request, 'project') ?? '') as ProjectKey;
    const pull = (queryParameter(request, 'pull') ?? '') as PullRequestId;
    const outcome = await releaseLock(sources, pull, project);
    sources.logger.info({ project, pull, outcome, ip: request.ip }, 'a lock was to be released on the locks page');
    return reply.redirect(`/locks?notice=${outcome}`, 303);
  });
}

/** Thrown inside the transaction, so that a refusal leaves no trace in the record. */
class NotReleasedError extends Error {
  readonly outcome: Outcome;

  constructor(outcome: Outcome) {
    super(`not released: ${outcome}`);
    this.name = 'NotReleasedError';
    this.outcome = outcome;
  }
}

async function releaseLock(sources: PageSources, pull: PullRequestId, project: ProjectKey): Promise<Outcome> {
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const version = await sources.pulls.readVersion(pull);
      if (version === 0) return 'not_held';
      const decided = await sources.runs.decide(pull, version, (state) => {
        const release = decideRelease(state, project, ACTOR);
        if (release.kind !== 'released') throw new NotReleasedError(release.kind);
        return release.decision;
      });
      if (decided.kind === 'stale') continue;
      await wake(sources, decided.wakeups);
      return 'released';
    }
    return 'busy';
  } catch (error) {
    if (error instanceof NotReleasedError) return error.outcome;
    throw error;
  }
}
