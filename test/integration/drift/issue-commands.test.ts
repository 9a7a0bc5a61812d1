import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DriftState } from '../../../src/core/drift/lifecycle.ts';
import { NO_DRIFT } from '../../../src/core/drift/lifecycle.ts';
import type { StoredFindings } from '../../../src/core/drift/stored-findings.ts';
import type { IssueCommentEvent, IssueEvent } from '../../../src/core/vcs-event.ts';
import type { VcsHost } from '../../../src/ports/vcs-host.ts';
import { handleIssueComment } from '../../../workers/drift/handle-issue-comment.ts';
import { handleIssueEvent } from '../../../workers/drift/handle-issue-event.ts';
import { UnansweredCommandError } from '../../../workers/unanswered-command-error.ts';
import { buildAccount, keyOf } from '../../support/builders.ts';
import {
  buildDifference,
  buildFindings,
  buildStoredFindings,
  drifting,
  driftOf,
  FINGERPRINT,
} from '../../support/drift-builders.ts';
import { createReportStage, type ReportStage, REPOSITORY_ID } from '../../support/report-stage.ts';

const KEY = keyOf('prod');

const OTHER = buildDifference({ address: 'fake_bucket.other' });

let stage: ReportStage;
beforeAll(async () => {
  stage = await createReportStage();
});

/** A repository with one reported drift; ann and bob may write, tim triages, eve reads. */
const report = async (project: object = {}, state: DriftState = drifting(), stored?: StoredFindings) => {
  await stage.forget();
  for (const login of ['ann', 'bob']) stage.host.permissions.set(login, 'write');
  stage.host.permissions.set('tim', 'triage');
  await stage.begin([{ dir: 'prod', project }]);
  await stage.set('prod', state, stored);
  await stage.report();
};
beforeEach(() => report());

let comments = 0;
const said = (body: string, login = 'ann', some: Partial<IssueCommentEvent> = {}): IssueCommentEvent => {
  comments += 1;
  return {
    kind: 'issue_comment',
    repositoryId: '42',
    repositoryFullName: 'acme/infra',
    number: 1,
    commentId: `${comments}`,
    commentNodeId: '',
    body,
    writtenAt: undefined,
    author: buildAccount(login),
    own: false,
    ...some,
  };
};
const hear = (event: IssueCommentEvent) =>
  handleIssueComment(stage.context(), stage.host.host as unknown as VcsHost, event, stage.now());

/** Says it and answers what was answered, without its marker, and the reactions. */
const say = async (body: string, login = 'ann', some: Partial<IssueCommentEvent> = {}) => {
  const before = stage.host.issues[0]?.comments.length ?? 0;
  await hear(said(body, login, some));
  const asked = await stage.report();
  const answers = (stage.host.issues[0]?.comments ?? [])
    .slice(before)
    .map((comment) => comment.replaceAll('\u200B', '').split('\n').slice(1).join('\n').trim());
  const reactions = asked.flatMap((call) => /^react \d+ (\w+)$/.exec(call)?.[1] ?? []);
  return { answers, reactions };
};
const project = async () => {
  const page = await stage.record.drift.find(KEY);
  if (page === undefined) throw new Error('there is no such project');
  return page.project;
};
const QUIET = { answers: [], reactions: [] };

describe('what is heard', () => {
  test('prose, our own words, old ones and those on other issues start nothing', async () => {
    stage.host.asked();
    expect(await say('I would not say holdfast apply here')).toEqual(QUIET);
    expect(await say('holdfast drift run', 'ann', { own: true })).toEqual(QUIET);
    expect(await say('holdfast drift run', 'ann', { number: 7 })).toEqual(QUIET);
    expect(await say('holdfast drift run', 'ann', { repositoryId: '43' })).toEqual(QUIET);
    expect(await say('holdfast drift run', 'ann', { repositoryFullName: 'other/infra' })).toEqual(QUIET);
    expect(await say('holdfast drift run', 'ann', { writtenAt: new Date('2026-01-01T00:00:00Z') })).toEqual(QUIET);
    expect((await project()).request).toBeUndefined();
  });

  test('help, and a near miss with what was meant', async () => {
    const help = await say('holdfast drift help');
    expect(help.answers[0]).toContain('`holdfast drift snooze DURATION [REASON]`');
    expect(help.reactions).toEqual(['rocket']);
    const near = await say('holdfast drift rum');
    expect(near.answers[0]).toContain('Did you mean `holdfast drift run`?');
    expect(near.reactions).toEqual(['confused']);
    expect((await say('holdfast plan')).answers[0]).toContain('is for pull requests');
  });

  test('a comment that is delivered twice is done and answered once', async () => {
    const event = said('holdfast drift ignore other.* noise --for 7d');
    await hear(event);
    await hear(event);
    await stage.report();
    expect(stage.host.issues[0]?.comments).toHaveLength(1);
    expect((await project()).silences).toHaveLength(1);
  });

  test('what was done before its answer could be recorded is not done twice', async () => {
    const event = said('holdfast drift ignore other.* noise --for 7d');
    await hear(event);
    await stage.record.db.deleteFrom('issue_replies').execute();
    await hear(event);
    await stage.report();
    expect((await project()).silences).toHaveLength(1);
    expect(stage.host.issues[0]?.comments).toHaveLength(1);
  });
});

describe('who may', () => {
  const REFUSED = 'was not carried out';
  test.each([
    ['drift run', 'tim', true],
    ['drift run', 'eve', false],
    ['drift suspend moving house', 'tim', false],
    ['drift ack', 'tim', false],
    ['drift snooze 7d', 'tim', false],
    ['drift ignore a.b why --for 7d', 'tim', false],
    ['apply', 'tim', false],
    [`approve ${FINGERPRINT}`, 'tim', false],
    ['drift resume', 'eve', false],
  ])('holdfast %s by %s: %s', async (command, login, may) => {
    const { answers, reactions } = await say(`holdfast ${command}`, login);
    expect(answers).toHaveLength(1);
    expect(answers[0]?.includes(REFUSED)).toBe(!may);
    expect(reactions).toEqual([may ? 'rocket' : 'confused']);
  });

  test('the permission of the moment counts', async () => {
    stage.host.permissions.set('ann', 'read');
    expect((await say('holdfast drift ack')).answers[0]).toContain('ann has read permission');
  });

  test('teams that the server asks for count', async () => {
    const context = stage.context();
    const narrowed = { ...context, config: { ...context.config, permissions: { apply: ['acme/platform'] } } };
    await handleIssueComment(narrowed, stage.host.host as unknown as VcsHost, said('holdfast drift ack'), stage.now());
    await stage.report();
    expect(stage.host.issues[0]?.comments[0]).toContain('only members of acme/platform may');
  });

  test('strangers are answered once, whatever they say afterwards', async () => {
    expect((await say('holdfast apply', 'eve')).answers).toHaveLength(1);
    expect(await say('holdfast apply', 'eve')).toEqual(QUIET);
    expect((await say('holdfast drift help', 'eve')).answers).toHaveLength(1);
    expect(await say('holdfast drift help', 'eve')).toEqual(QUIET);
    stage.host.asked();
    await hear(said('holdfast drift run\nholdfast drift ack\nholdfast apply', 'eve'));
    expect((await project()).request).toBeUndefined();
  });
});

describe('what is done', () => {
  test('run asks for a check, before all that the schedule wants', async () => {
    const { answers, reactions } = await say('holdfast drift run');
    expect(answers[0]).toContain('✅ `holdfast drift run`: It is checked as soon as');
    expect(reactions).toEqual(['rocket']);
    expect((await project()).request).toMatchObject({ kind: 'command', actor: { login: 'ann' } });
    expect(stage.queued).toContain('drift {}');
  });

  test('suspend and resume, shown on the report', async () => {
    await say('holdfast drift suspend moving @house --for 7d');
    expect((await project()).suspension).toMatchObject({ by: 'ann', reason: 'moving @house' });
    expect(stage.host.issues[0]?.body.replaceAll('\u200B', '')).toContain('suspended by `ann`');
    expect((await say('holdfast drift resume', 'bob')).answers[0]).toContain('It is checked again');
    expect((await project()).suspension).toBeUndefined();
    expect(stage.host.issues[0]?.body).not.toContain('suspended by');
    expect((await say('holdfast drift resume')).answers[0]).toContain('It is not suspended');
  });

  test('ack closes the report with who and why, and it stays closed for this drift', async () => {
    const { answers } = await say('holdfast drift ack we know it');
    expect(answers[0]).toContain('not reported again until it is another');
    expect(answers[1]).toContain('Acknowledged by @ann: we know it.');
    expect(stage.host.issues[0]).toMatchObject({ state: 'closed', reason: 'not_planned' });
    expect((await project()).state.drift).toMatchObject({ quiet: expect.stringContaining('Acknowledged') });
  });

  test('snooze closes it until then', async () => {
    await say('holdfast drift snooze 7d');
    expect(stage.host.issues[0]).toMatchObject({ state: 'closed', reason: 'not_planned' });
    expect((await project()).silences).toMatchObject([{ kind: 'snooze', by: 'ann', fingerprint: FINGERPRINT }]);
  });

  test('nobody lives with a drift that the report does not show yet', async () => {
    await stage.set('prod', ...driftOf(OTHER));
    await hear(said('holdfast drift ack'));
    await stage.report();
    expect(stage.host.issues[0]?.comments[0]).toContain('another one now than the report shows');
    expect((await project()).silences).toEqual([]);
    expect((await say('holdfast drift ack')).answers[0]).toContain('not reported again');
  });

  test('ignore says how much it matches, and closes what has nothing left to tell', async () => {
    const { answers } = await say('holdfast drift ignore fake_bucket.* --attribute tags.* set by hand --for 7d');
    expect(answers[0]).toContain('It matches 1 of the differences');
    expect(stage.host.issues[0]).toMatchObject({ state: 'closed', reason: 'not_planned' });
    expect((await say('holdfast drift ignore other.* why --for 7d')).answers[0]).toContain('It matches nothing');
  });

  test('several commands are done in their order', async () => {
    const { answers, reactions } = await say('holdfast drift suspend x\nholdfast drift resume');
    expect(answers).toHaveLength(2);
    expect(reactions).toEqual(['rocket']);
    expect((await project()).suspension).toBeUndefined();
  });

  test('on the issue of several projects nothing is done', async () => {
    await stage.forget();
    stage.host.permissions.set('ann', 'write');
    await stage.begin([{ dir: 'prod', settings: { report: 'dashboard' } }]);
    await stage.report();
    const { answers, reactions } = await say('holdfast drift run');
    expect(answers[0]).toContain('This issue is about several projects.');
    expect(reactions).toEqual(['confused']);
  });

  test('what fails is answered by whoever gives it up', async () => {
    const context = stage.context();
    const drift = {
      ...context.drift,
      change: async () => {
        throw new Error('secret details');
      },
    };
    const event = said('holdfast drift ack');
    const error: unknown = await handleIssueComment(
      { ...context, drift },
      stage.host.host as unknown as VcsHost,
      event,
      stage.now(),
    ).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnansweredCommandError);
    if (error instanceof UnansweredCommandError) await error.tell();
    await stage.report();
    expect(stage.host.issues[0]?.comments[0]).toContain('Holdfast itself failed here');
    expect(stage.host.issues[0]?.comments[0]).not.toContain('secret details');
  });
});

describe('putting it right', () => {
  const orders = async () =>
    (await stage.record.db.selectFrom('batches').select(['notes', 'actor_login', 'source_comment_id']).execute()).map(
      ({ notes, actor_login: by, source_comment_id: comment }) => ({ ...notes.remediation, by, comment }),
    );

  test('apply starts a run of exactly the drift that is shown, and is answered when that has ended', async () => {
    const event = said('holdfast apply');
    await hear(event);
    expect(await orders()).toEqual([{ fingerprint: FINGERPRINT, destroys: [], by: 'ann', comment: event.commentId }]);
    expect(stage.queued.some((job) => job.startsWith('run '))).toBe(true);
    expect(await stage.report()).toEqual([`react ${event.commentId} eyes`]);
    await hear(event);
    expect(await orders()).toHaveLength(1);
    const { lease } = await stage.record.start();
    await stage.record.runs.beginApply(lease);
    const counts = { add: 0, change: 1, destroy: 0, replace: 0, import: 0, move: 0, forget: 0, outputs: 0 };
    const result = { kind: 'applied', counts, warnings: [], differences: [] } as const;
    await stage.record.drift.finish(lease, { state: 'succeeded', result, phases: [] }, () => ({
      changes: {},
      report: true,
    }));
    expect(await stage.report()).toEqual(['say 1', `react ${event.commentId} rocket`]);
    expect(stage.host.issues[0]?.comments[0]).toContain('**applied** (+0 ~1 -0)');
  });

  test('a second one waits for the end of the first', async () => {
    await say('holdfast apply');
    const { answers } = await say('holdfast apply', 'bob');
    expect(answers[0]).toContain('Another run of it is queued or running.');
    expect(await orders()).toHaveLength(1);
  });

  test('everything that stands in the way is said at once, and nothing is started', async () => {
    const pending = buildDifference({ address: 'fake_disk.new', kind: 'pending', fingerprint: undefined });
    const destroyed = buildDifference({ action: 'replace', destructive: true });
    await report({ applyRequirements: ['approved'] }, ...driftOf(destroyed, pending));
    await say('holdfast drift suspend moving');
    const { answers, reactions } = await say('holdfast apply');
    for (const part of [
      'suspended it: moving',
      'it is not approved',
      '`fake_disk.new` would change because of the code',
      'it would delete `fake_bucket.logs`',
    ])
      expect(answers[0]).toContain(part);
    expect(reactions).toEqual(['confused']);
    expect(await orders()).toEqual([]);
  });

  test('drift that the report does not show, or none, is not put right', async () => {
    const [state, stored] = driftOf(OTHER);
    await stage.set('prod', state, stored);
    await hear(said('holdfast apply'));
    await stage.report();
    const now = state.drift?.fingerprint;
    expect(stage.host.issues[0]?.comments[0]).toContain(`another one now: ${now} instead of ${FINGERPRINT}`);
    await stage.set(
      'prod',
      NO_DRIFT,
      buildStoredFindings({ findings: buildFindings({ resources: [], fingerprint: undefined }) }),
    );
    await stage.report();
    expect(stage.host.issues[0]?.state).toBe('closed');
    expect((await say('holdfast apply')).answers[0]).toContain('no drift of it is reported');
    expect(await orders()).toEqual([]);
  });

  test('what may be deleted is named, as it was copied from the report', async () => {
    const destroyed = buildDifference({ address: 'a.b["@x"]', destructive: true, action: 'delete' });
    await report({}, ...driftOf(destroyed));
    await hear(said('holdfast apply --allow-destroy \'a.b["@\u200Bx"]\''));
    expect(await orders()).toMatchObject([{ destroys: ['a.b["@x"]'] }]);
  });

  test('where it takes two, the second approves this very drift', async () => {
    await report({ applyRequirements: ['approved'] });
    expect((await say('holdfast apply')).answers[0]).toContain('it is not approved');
    expect((await say(`holdfast approve ${FINGERPRINT}`)).answers[0]).toContain(
      'Somebody else may put this drift right',
    );
    expect((await say('holdfast apply')).answers[0]).toContain('it is not approved');
    expect((await say('holdfast approve fedcba9876543210', 'bob')).answers[0]).toContain('another one now');
    expect((await say(`holdfast approve ${FINGERPRINT}`, 'bob')).reactions).toEqual(['rocket']);
    expect((await project()).approvals).toMatchObject([{ by: { login: 'ann' } }, { by: { login: 'bob' } }]);
    await hear(said('holdfast apply'));
    expect(await orders()).toHaveLength(1);
  });

  test('an approval of somebody who may not any more does not count', async () => {
    await report({ applyRequirements: ['approved'] });
    await say(`holdfast approve ${FINGERPRINT}`, 'bob');
    stage.host.permissions.set('bob', 'read');
    expect((await say('holdfast apply')).answers[0]).toContain('it is not approved');
  });

  test('where it takes one, there is nothing to approve', async () => {
    expect((await say(`holdfast approve ${FINGERPRINT}`, 'bob')).answers[0]).toContain('nobody needs the approval');
    expect((await project()).approvals).toEqual([]);
  });
});

describe('what becomes of an issue', () => {
  const happen = (change: IssueEvent['change'], some: Partial<IssueEvent> = {}) =>
    handleIssueEvent(stage.context(), stage.host.host as unknown as VcsHost, {
      kind: 'issue',
      change,
      repositoryId: '42',
      repositoryFullName: 'acme/infra',
      number: 1,
      sender: buildAccount('bob'),
      own: false,
      ...some,
    });
  const issue = () => stage.record.reports.findIssue(REPOSITORY_ID, 1);

  test('closed and reopened by people is written down, as the host has it now', async () => {
    stage.wait(60_000);
    stage.host.byPeople(1, { state: 'closed' });
    await happen('closed');
    expect(await issue()).toMatchObject({ state: 'closed', byPeopleAt: stage.now() });
    expect(stage.queued).toEqual([`report ${JSON.stringify({ repositoryId: REPOSITORY_ID, when: 'later' })}`]);
    expect(await stage.report()).toEqual([]);
    stage.host.byPeople(1, { state: 'open', closedAt: undefined });
    await happen('closed');
    expect(await issue()).toMatchObject({ state: 'open' });
  });

  test('deleted or transferred: it is ours no more, and another is opened', async () => {
    stage.host.byPeople(1, { away: 'moved' });
    await happen('transferred', { own: true });
    expect(await issue()).toBeUndefined();
    expect(await stage.report()).toEqual(['open']);
  });

  test('what we did ourselves, locks, and other issues are no news', async () => {
    stage.host.asked();
    await happen('closed', { own: true });
    await happen('locked');
    await happen('deleted', { number: 9 });
    await happen('closed', { repositoryFullName: 'other/infra' });
    expect(stage.host.asked()).toEqual([]);
    expect(stage.queued).toEqual([]);
  });
});
