import { schema as published } from '@octokit/graphql-schema';
import { buildSchema, parse, validate } from 'graphql';
import { afterEach, describe, expect, test } from 'vitest';
import { MERGE_QUERY } from '../../../../src/adapters/github/merge-query.ts';
import { minimizeMutation } from '../../../../src/adapters/github/minimize-comments.ts';
import { HostRefusedError, HostUnavailableError } from '../../../../src/core/host-error.ts';
import type { CheckRun } from '../../../../src/ports/vcs-host.ts';
import { type GithubStub, routes, type StubAnswer, startGithubStub } from '../../../support/github-stub.ts';
import { HEAD, pullRequest, REF, tokenHost } from './fixtures.ts';

let stub: GithubStub;
afterEach(() => stub.close());

async function hostWith(table: Parameters<typeof routes>[0]) {
  stub = await startGithubStub(routes(table));
  return tokenHost(stub.url);
}

const body = (n = 0) => JSON.parse(stub.requests[n]?.body ?? 'null');
const me = { json: { id: 99, login: 'holdfast-bot' } };
const comments = '/repos/acme/infra/issues/12/comments';

describe('a comment', () => {
  test('is created and edited', async () => {
    const host = await hostWith({
      [`POST ${comments}`]: { status: 201, json: { id: 31, node_id: 'IC_31', html_url: 'https://github.test/c/31' } },
      'PATCH /repos/acme/infra/issues/comments/31': { json: { id: 31 } },
    });
    expect(await host.createComment(REF, 12, 'one')).toEqual({
      id: '31',
      nodeId: 'IC_31',
      url: 'https://github.test/c/31',
    });
    expect(await host.updateComment(REF, '31', 'two', { priority: 'final' })).toBe(true);
    expect([body(0), body(1)]).toEqual([{ body: 'one' }, { body: 'two' }]);
  });

  test('that is gone is told as false', async () => {
    const host = await hostWith({});
    expect(await host.updateComment(REF, '31', 'two')).toBe(false);
  });

  test('that is too long is not sent', async () => {
    const host = await hostWith({});
    const long = 'x'.repeat(host.limits.commentLength + 1);
    await expect(host.createComment(REF, 12, long)).rejects.toBeInstanceOf(HostRefusedError);
    await expect(host.updateComment(REF, '31', long)).rejects.toThrow(/65536 at most/);
    expect(stub.requests).toHaveLength(0);
  });

  test('is ours when we wrote it and it starts with the marker, on whatever page', async () => {
    const marker = '<!-- holdfast:1 -->';
    const comment = (id: number, user: number, text: string | null) => ({
      id,
      node_id: `IC_${id}`,
      html_url: `https://github.test/c/${id}`,
      user: { id: user, login: 'x', type: 'User' },
      body: text,
    });
    const host = await hostWith({
      'GET /user': me,
      [`GET ${comments}`]: ({ path }) =>
        path.includes('page=2')
          ? { json: [comment(4, 99, `${marker}\nplan`)] }
          : {
              json: [
                comment(1, 2, `${marker}\nforged`),
                comment(2, 99, `see ${marker}`),
                comment(3, 99, null),
                { ...comment(5, 1, marker), user: null },
              ],
              headers: { link: `<${stub.url}${comments}?page=2>; rel="next"` },
            },
    });
    expect(await host.findOwnComment(REF, 12, marker)).toMatchObject({ id: '4', nodeId: 'IC_4' });
    expect(await host.findOwnComment(REF, 12, '<!-- other -->')).toBeUndefined();
  });

  test('gets a reaction, also one it had', async () => {
    const statuses = [201, 200];
    const host = await hostWith({
      'POST /repos/acme/infra/issues/comments/31/reactions': () => ({
        status: statuses.shift() ?? 500,
        json: { id: 1 },
      }),
    });
    await host.addReaction(REF, '31', 'eyes');
    await host.addReaction(REF, '31', 'eyes');
    expect(body()).toEqual({ content: 'eyes' });
  });

  test('refused for its content is a refusal', async () => {
    const host = await hostWith({ [`POST ${comments}`]: { status: 422, json: { message: 'Validation Failed' } } });
    await expect(host.createComment(REF, 12, 'x')).rejects.toMatchObject({ name: 'HostRefusedError', status: 422 });
  });
});

describe('folding comments away', () => {
  const gone = (place: number) => ({ type: 'NOT_FOUND', path: [`m${place}`], message: 'Could not resolve to a node' });

  test('takes one request for many', async () => {
    const host = await hostWith({ 'POST /graphql': { json: { data: {} } } });
    await host.minimizeComments(
      REF,
      Array.from({ length: 21 }, (_, n) => `IC_${n}`),
    );
    expect(stub.requests).toHaveLength(2);
    expect(body(0).variables).toMatchObject({ id0: 'IC_0', id19: 'IC_19' });
    expect(body(1).variables).toEqual({ id0: 'IC_20' });
    await host.minimizeComments(REF, []);
    expect(stub.requests).toHaveLength(2);
  });

  test('is done when a comment is gone, and fails for anything else', async () => {
    const answers: StubAnswer[] = [
      { json: { data: { m0: null }, errors: [gone(0)] } },
      { json: { data: { m0: null }, errors: [gone(0), { type: 'FORBIDDEN', path: ['m1'], message: 'no' }] } },
      { json: { data: null, errors: [{ message: 'Something went wrong' }] } },
      { json: { data: null, errors: [{ type: 'RATE_LIMITED', message: 'API rate limit exceeded' }] } },
    ];
    const host = await hostWith({ 'POST /graphql': () => answers.shift() ?? {} });
    await host.minimizeComments(REF, ['IC_1']);
    await expect(host.minimizeComments(REF, ['IC_1', 'IC_2'])).rejects.toMatchObject({ status: 403 });
    await expect(host.minimizeComments(REF, ['IC_1'])).rejects.toBeInstanceOf(HostUnavailableError);
    await expect(host.minimizeComments(REF, ['IC_1'])).rejects.toBeInstanceOf(HostUnavailableError);
  });
});

test("what is asked in GraphQL fits GitHub's published schema", async () => {
  stub = await startGithubStub(() => undefined);
  // The published text defines two fields twice, so it is not checked itself.
  const schema = buildSchema(published.idl, { assumeValidSDL: true });
  expect(validate(schema, parse(minimizeMutation(3)))).toEqual([]);
  expect(validate(schema, parse(MERGE_QUERY))).toEqual([]);
});

describe('a commit status', () => {
  test('is set on the commit', async () => {
    const host = await hostWith({ [`POST /repos/acme/infra/statuses/${HEAD}`]: { status: 201, json: { id: 1 } } });
    await host.setCommitStatus(REF, HEAD, {
      context: 'holdfast/plan',
      state: 'pending',
      description: 'd',
      url: 'https://h.test/r/1',
    });
    expect(body()).toEqual({
      context: 'holdfast/plan',
      state: 'pending',
      description: 'd',
      target_url: 'https://h.test/r/1',
    });
  });
});

describe('a check run', () => {
  const run: CheckRun = {
    name: 'holdfast',
    headSha: HEAD,
    externalId: 'b1',
    url: 'https://h.test',
    status: 'queued',
    conclusion: undefined,
    title: 't',
    summary: 's',
    actions: [],
  };

  test('needs an App', async () => {
    const host = await hostWith({});
    expect(host.capabilities.checkRuns).toBe(false);
    await expect(host.createCheckRun(REF, run)).rejects.toThrow(/only a GitHub App/);
    await expect(host.updateCheckRun(REF, '1', run)).rejects.toThrow(/only a GitHub App/);
    await expect(host.findOwnCheckRun(REF, run)).rejects.toThrow(/only a GitHub App/);
    expect(stub.requests).toHaveLength(0);
  });
});

describe('merging', () => {
  const path = 'PUT /repos/acme/infra/pulls/12/merge';

  test('is pinned to the head', async () => {
    const host = await hostWith({ [path]: { json: { sha: 'f'.repeat(40), merged: true } } });
    expect(await host.mergePullRequest(pullRequest, HEAD, 'squash')).toEqual({ kind: 'merged', sha: 'f'.repeat(40) });
    expect(body()).toEqual({ sha: HEAD, merge_method: 'squash' });
  });

  test('without a method takes the first that the repository allows', async () => {
    const repository = { allow_merge_commit: false, allow_squash_merge: false, allow_rebase_merge: true };
    const host = await hostWith({
      'GET /repos/acme/infra': { json: repository },
      [path]: { json: { sha: 'f'.repeat(40), merged: true } },
    });
    await host.mergePullRequest(pullRequest, HEAD, undefined);
    expect(body(1)).toEqual({ sha: HEAD, merge_method: 'rebase' });
  });

  test.each([
    [409, { kind: 'head_moved' }],
    [405, { kind: 'refused', reason: 'Pull Request is not mergeable' }],
    [422, { kind: 'refused', reason: 'Pull Request is not mergeable' }],
  ])('that is answered %i is %o, asked once', async (status, expected) => {
    const json = { message: 'Pull Request is not mergeable', documentation_url: 'https://docs.github.com/x' };
    const host = await hostWith({ [path]: { status, json } });
    expect(await host.mergePullRequest(pullRequest, HEAD, 'merge')).toEqual(expected);
    expect(stub.requests).toHaveLength(1);
  });

  test('without permission is an error that says so', async () => {
    const host = await hostWith({ [path]: { status: 403, json: { message: 'Resource not accessible' } } });
    await expect(host.mergePullRequest(pullRequest, HEAD, 'merge')).rejects.toMatchObject({ status: 403 });
  });
});
