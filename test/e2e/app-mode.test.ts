import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { isPlanComment, isReply, type ServingStage, startServing } from '../support/serving-stage.ts';

interface Manifest {
  readonly name: string;
  readonly default_permissions: Readonly<Record<string, 'read' | 'write'>>;
  readonly default_events: readonly string[];
}

/** The App is registered with exactly what the manifest asks for. */
async function readManifest(): Promise<Manifest> {
  return parse(await readFile(new URL('../../app.yml', import.meta.url), 'utf8')) as Manifest;
}

let stage: ServingStage;

beforeAll(async () => {
  const { name, default_permissions: permissions, default_events: events } = await readManifest();
  stage = await startServing({ auth: 'app', app: { name, owner: 'acme', permissions, events } });
  await stage.github.createRepository({ owner: 'acme', name: 'payroll', files: { 'README.md': 'x' } });
});

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

async function openPull(branch: string, files: Readonly<Record<string, string>>) {
  const pull = await stage.github.openPullRequest(stage.repository, { author: 'ann', title: branch, branch, files });
  opened.push(pull);
  const body = await stage.comment(pull, 'the plan', (text) => isPlanComment(text) && text.includes('```diff'));
  return { pull, body };
}

type PullRequest = Awaited<ReturnType<ServingStage['github']['openPullRequest']>>;

/** All pull requests are about the same project: each test gives its lock back. */
const opened: PullRequest[] = [];
afterEach(async () => {
  for (const pull of opened.splice(0)) {
    if (pull.issue.state === 'open') await stage.github.closePullRequest(pull, 'ann');
  }
});

/** The one check run of the head commit as it is once it is completed and as wanted. */
function completedCheck(
  pull: PullRequest,
  matches: (conclusion: string | null) => boolean = () => true,
  isOf: (externalId: string) => boolean = () => true,
) {
  return stage.wait('the check run', () => {
    const [run, ...more] = stage.github.checkRuns(pull);
    if (more.length > 0) throw new Error('there is more than one check run');
    const found = run?.status === 'completed' && matches(run.conclusion) && isOf(run.externalId);
    return found ? { ...run } : undefined;
  });
}

function appFile(replicas: number): Readonly<Record<string, string>> {
  return { 'app/main.tf': (stage.files['app/main.tf'] ?? '').replace('replicas = 2', `replicas = ${replicas}`) };
}

function statusesOf(pull: PullRequest): Readonly<Record<string, string>> {
  const all = stage.repository.statuses.filter((one) => one.sha === pull.headSha);
  return Object.fromEntries(all.map((one) => [one.context, one.state]));
}

describe('holdfast as a GitHub App', () => {
  test('a pull request is planned, shown as comment, statuses and one check run, and applied by its button', async () => {
    const { github, repository, places } = stage;
    const { pull, body } = await openPull('three', appFile(3));
    const run = await completedCheck(pull);

    expect(run.name).toBe('holdfast');
    expect(run.conclusion).toBe('neutral');
    expect(run.output.title).toMatch(/1 project/);
    expect(run.output.summary).toContain('shop');
    expect(run.actions.map((action) => action.identifier)).toEqual(['apply', 'plan', 'unlock']);
    expect(run.externalId).toMatch(/^[\w-]{8,}$/);
    expect(body).toContain('+3 ~0 -0');
    expect(statusesOf(pull)).toMatchObject({ 'holdfast/plan': 'success', 'holdfast/apply': 'pending' });

    await github.pressButton(repository, run, 'apply', 'ann');
    const reply = await stage.comment(pull, 'the apply', isReply);
    expect(reply).toContain('For `ann`');
    expect(reply).toContain('+3 ~0 -0');
    const objects = await readdir(places.cloudDirectory);
    expect(objects.filter((name) => name.endsWith('.json'))).toHaveLength(3);
    await stage.wait('the apply status', () => statusesOf(pull)['holdfast/apply'] === 'success' || undefined);
    await completedCheck(pull, (conclusion) => conclusion === 'success');

    // The same press once more, signed and under another delivery id, and then another one.
    const presses = github.deliveries.filter(({ action }) => action === 'requested_action');
    expect(presses).toHaveLength(1);
    const said = stage.comments(pull).filter(isReply);
    for (const delivery of presses) github.hub.hooks.redeliver({ ...delivery, guid: randomUUID() });
    const applied = await completedCheck(pull);
    expect(applied.externalId).not.toBe(run.externalId);
    await github.pressButton(repository, applied, 'plan', 'ann');
    await completedCheck(pull, undefined, (externalId) => externalId !== applied.externalId);
    expect(stage.comments(pull).filter(isReply)).toEqual(said);

    await github.merge(pull, 'ann');
    await github.settled();
    github.assertClean();
  });

  test('a press by somebody who may not is refused, by the permission they have now', async () => {
    const { github, repository } = stage;
    const { pull } = await openPull('five', appFile(5));
    const run = await completedCheck(pull);
    const before = stage.comments(pull).length;

    await github.pressButton(repository, run, 'apply', 'tim');
    const refused = await stage.comment(pull, 'the refusal', (text) => isReply(text) && text.includes('tim'));
    expect(refused).toContain('write');
    expect(stage.comments(pull)).toHaveLength(before + 1);

    // What tim was when the check run was written does not count; what he is now does.
    github.setPermission(repository, 'tim', 'write');
    await github.pressButton(repository, run, 'unlock', 'tim');
    await stage.comment(pull, 'the unlock', (text) => isReply(text) && text.includes('gave up the locks'));
    github.setPermission(repository, 'tim', 'triage');
    await stage.wait('a check run without the button', () => {
      const [now] = github.checkRuns(pull);
      return now !== undefined && !now.actions.some((action) => action.identifier === 'apply') ? now : undefined;
    });
  });

  test('plan again, re-run of the check run and re-run of the suite each make a new plan', async () => {
    const { github, repository, holdfast } = stage;
    const { pull } = await openPull('six', appFile(6));
    const plans = () =>
      holdfast
        .log()
        .split('\n')
        .filter((line) => line.includes('"operation":"plan"') && line.includes('"run ended"')).length;
    let seen = 0;
    const planned = () => stage.wait('another plan', () => plans() > seen || undefined);

    for (const ask of [
      async () => github.pressButton(repository, await completedCheck(pull), 'plan', 'ann'),
      async () => github.rerequestCheckRun(repository, await completedCheck(pull), 'ann'),
      async () => github.rerequestCheckSuite(repository, await completedCheck(pull), 'ann'),
    ]) {
      const first = await completedCheck(pull);
      seen = plans();
      await ask();
      await planned();
      const next = await stage.wait('the check run of the new batch', () => {
        const [run] = github.checkRuns(pull);
        return run?.status === 'completed' && run.externalId !== first.externalId ? run : undefined;
      });
      expect(next.id).toBe(first.id);
    }
  });

  test('a new commit gets a check run of its own, and an old Apply is refused', async () => {
    const { github, repository } = stage;
    const { pull } = await openPull('seven', appFile(7));
    const old = await completedCheck(pull);
    const oldSha = pull.headSha;
    await github.pushToPullRequest(pull, appFile(8));
    const fresh = await stage.wait('a check run on the new head', () => {
      const [run] = github.checkRuns(pull);
      return run?.status === 'completed' ? run : undefined;
    });
    expect(fresh.id).not.toBe(old.id);
    expect(fresh.headSha).not.toBe(oldSha);
    expect(fresh.externalId).not.toBe(old.externalId);
    await github.pressButton(repository, old, 'apply', 'ann');
    const reply = await stage.comment(pull, 'the refusal of the old button', isReply);
    expect(reply).toContain('made anew or applied since');
    expect(statusesOf(pull)['holdfast/apply']).toBe('pending');
  });

  test('killed after a check run was made and before that was written down: it is found, not made again', async () => {
    const { github, repository } = stage;
    const path = /\/check-runs$/;
    github.faults.add({ method: 'POST', path, delayMs: 1_000 });
    const hits = github.faults.hits;
    const files = appFile(9);
    const pull = await github.openPullRequest(repository, { author: 'ann', title: 'Nine', branch: 'nine', files });
    opened.push(pull);
    await stage.wait('the POST', () => github.faults.hits > hits || undefined);
    await stage.killAndStart(() => stage.wait('the check run', () => github.checkRuns(pull).length === 1 || undefined));
    const [made] = github.checkRuns(pull);
    // What it shows now was not said by the one that was killed.
    github.clearBooks();
    const written: readonly (string | undefined)[] = ['checks/update', 'checks/create'];
    await stage.wait('the next publication', () =>
      github.requests.find(({ operation, status }) => written.includes(operation) && status > 0),
    );
    expect((await completedCheck(pull)).id).toBe(made?.id);
    github.assertClean();
  });

  test('every token is narrowed to one repository and to what its work needs', async () => {
    const { github, repository, app } = stage;
    const grants = [...github.hub.world.installationTokens.values()];
    expect(grants.length).toBeGreaterThan(2);
    const registered = Object.keys(app?.permissions ?? {}).length;
    for (const grant of grants) {
      const kind = Object.entries(grant.permissions).map(([name, level]) => `${name}:${level}`);
      expect(kind.length, kind.join(' ')).toBeLessThan(registered);
      if (grant.repositoryIds === undefined) expect(kind).toEqual(['metadata:read']);
      else expect(grant.repositoryIds.size).toBe(1);
      // Nothing that writes contents is minted unless something is merged.
      expect(kind).not.toContain('contents:write');
    }
    const ours = grants.filter((grant) => grant.repositoryIds?.has(repository.id));
    expect(ours.length).toBeGreaterThan(2);
    const clones = ours.filter((grant) => Object.keys(grant.permissions).toSorted().join() === 'contents,metadata');
    expect(clones.length).toBeGreaterThan(0);
    expect(clones.every((grant) => grant.permissions['contents'] === 'read')).toBe(true);
  });

  test('its key is in no file of the data directory and in no line of the log', async () => {
    const { app, holdfast, places } = stage;
    const line = (app?.privateKey ?? '').split('\n')[5] ?? '';
    expect(line.length).toBeGreaterThan(20);
    expect(holdfast.log()).not.toContain(line);
    const names = await readdir(places.dataDirectory, { withFileTypes: true });
    for (const entry of names.filter((one) => one.isFile())) {
      expect(await readFile(join(places.dataDirectory, entry.name), 'utf8')).not.toContain(line);
    }
  });
});

describe('deliveries that failed while Holdfast was away', () => {
  test('are asked for again when it starts, and each is handled once', async () => {
    const { name, default_permissions: permissions, default_events: events } = await readManifest();
    await using late = await startServing({
      auth: 'app',
      app: { name, owner: 'acme', permissions, events },
      before: async (github, repository, files) => {
        const changed = { 'app/main.tf': (files['app/main.tf'] ?? '').replace('replicas = 2', 'replicas = 4') };
        await github.openPullRequest(repository, { author: 'ann', title: 'Four', branch: 'four', files: changed });
      },
    });
    const { github, repository } = late;
    const lost = github.deliveries.filter((one) => one.event === 'pull_request' && !one.redelivery);
    expect(lost.map((one) => one.statusCode)).not.toContain(202);
    const pull = github.pullRequest(repository, 1);
    await late.comment(pull, 'the plan', (text) => isPlanComment(text) && text.includes('```diff'));
    const again = github.deliveries.filter((one) => one.guid === lost[0]?.guid && one.redelivery);
    expect(again.map((one) => one.statusCode)).toEqual([202]);
    expect(late.comments(pull)).toHaveLength(1);
    github.assertClean();
  });
});
