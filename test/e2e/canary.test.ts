import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import pg from 'pg';
import { parse } from 'yaml';
import { createSeal } from '../../src/lib/seal.ts';
import { Secret } from '../../src/lib/secret.ts';
import { openPlanArtifact } from '../../workers/plan-artifact.ts';
import { findCanaries, makeCanaries, writtenForms } from '../support/canaries.ts';
import { dumpDatabase, type StoredValue } from '../support/database-dump.ts';
import { followRuns, type LiveStreams } from '../support/follow-runs.ts';
import { isReply, type ServingStage, startServing } from '../support/serving-stage.ts';

const canaries = makeCanaries([
  'variable',
  'credential',
  'file',
  'default',
  'tfvars',
  'attribute',
  'derived',
  'backend',
  'login',
  'url',
]);

/** Prints all there is, in clear and encoded, before Terraform is even started. */
const NOISY = `
credentials:
  - name: cloud
    phases: [plan, apply]
    env:
      TF_VAR_handed: ${JSON.stringify(canaries.variable)}
      CLOUD_KEY: { from_env: CANARY_CREDENTIAL }
    files: [{ source: FOLDER/cloud.json, target: /cloud/key.json }]
repos:
  - { id: /.*/, workflow: noisy }
workflows:
  noisy:
    plan:
      steps:
        - run: cat *.tf *.tfvars /cloud/key.json 2>/dev/null; printenv
        - run: printenv CLOUD_KEY | base64 -w0; echo; printf 'x%s' "$TF_VAR_handed" | base64 -w0; echo; printf %s "$CLOUD_KEY" | od -An -tx1 | tr -d ' \\n'
        - init
        - plan
    apply:
      steps:
        - run: echo "$CLOUD_KEY"
        - apply
`;

const HEAD = (state: string, cloud: string) => `
terraform {
  required_providers {
    fakecloud = { source = "holdfast/fakecloud" }
  }
  backend "local" {
    path = "${state}"
  }
}
provider "fakecloud" {
  dir = "${cloud}"
}
`;

let stage: ServingStage;
let pull: Awaited<ReturnType<ServingStage['github']['openPullRequest']>>;
let live: LiveStreams;
let cloneToken: string;
/** What the plans on record hold, opened with the key. */
let sealed: string;
/** The canaries, and what the server itself holds. */
let secrets: Readonly<Record<string, string>>;

async function faultyCloud(directory: string, faults: readonly object[]): Promise<void> {
  await mkdir(directory);
  await chmod(directory, 0o777);
  await writeFile(join(directory, '.faults.json'), JSON.stringify(faults));
}

function projects(places: ServingStage['places']): Readonly<Record<string, string>> {
  const head = (name: string, cloud = places.cloudDirectory) =>
    HEAD(join(places.stateDirectory, `${name}.tfstate`), cloud);
  return {
    'handed/main.tf': `${head('handed')}
variable "handed" {}
data "fakecloud_program" "env" {
  program = ["/usr/bin/printenv", "CLOUD_KEY", "TF_VAR_handed"]
}
resource "fakecloud_object" "one" {
  name    = "one"
  content = "\${var.handed} \${data.fakecloud_program.env.output}"
  tags    = { encoded = base64encode(var.handed), url = urlencode(var.handed) }
}`,
    'sensitive/main.tf': `${head('sensitive', join(places.cloudDirectory, 'warns'))}
variable "password" {
  sensitive = true
  default   = ${JSON.stringify(canaries.default)}
}
variable "pin" {
  sensitive = true
}
resource "fakecloud_object" "shown" {
  for_each = toset([nonsensitive(var.password)])
  name     = "shown"
  content  = "\${each.key} \${nonsensitive(var.pin)}"
  secret   = ${JSON.stringify(canaries.attribute)}
}
resource "fakecloud_object" "derived" {
  name   = "derived"
  secret = join("", ["${canaries.derived.slice(0, 10)}", "${canaries.derived.slice(10)}"])
}
output "shown" {
  value = nonsensitive(var.pin)
}`,
    'sensitive/terraform.tfvars': `pin = ${JSON.stringify(canaries.tfvars)}\n`,
    'backend/main.tf': `terraform {
  backend "http" {
    address  = "http://127.0.0.1:1/state"
    username = "state"
    password = ${JSON.stringify(canaries.backend)}
  }
}`,
    'login/main.tf': `${head('login', join(places.cloudDirectory, 'errors'))}
variable "login" {
  sensitive = true
  default   = ${JSON.stringify(canaries.login)}
}
resource "fakecloud_object" "broken" {
  name = "broken"
}`,
    'url/main.tf': `module "far" {
  source = "git::https://git:${encodeURIComponent(canaries.url)}@127.0.0.1:9/x.git"
}`,
  };
}

beforeAll(async () => {
  const manifest = parse(await readFile(new URL('../../app.yml', import.meta.url), 'utf8')) as {
    name: string;
    default_permissions: Record<string, 'read' | 'write'>;
    default_events: string[];
  };
  const { name, default_permissions: permissions, default_events: events } = manifest;
  stage = await startServing({
    auth: 'app',
    app: { name, owner: 'acme', permissions, events },
    environment: async (places, github) => {
      cloneToken = github.createToken('holdfast-bot');
      const said = (what: string) => [`${what} ${canaries.derived} and ${canaries.attribute}`, 'it is weak'];
      const [summary, detail] = said('the secret');
      await faultyCloud(join(places.cloudDirectory, 'warns'), [
        { op: 'plan', name: 'derived', warning: 'weak', detail: `${summary}: ${detail}` },
        { op: 'create', name: 'derived', warning: 'weak', detail: `${summary}: ${detail}` },
      ]);
      await faultyCloud(join(places.cloudDirectory, 'errors'), [
        { op: 'plan', name: 'broken', error: 'Login refused', detail: `user x, password ${canaries.login}` },
      ]);
      await writeFile(
        join(places.folder, 'cloud.json'),
        JSON.stringify({ id: 'a', private_key: canaries.file }, null, 2),
      );
      await writeFile(join(places.folder, 'server.yaml'), NOISY.replace('FOLDER', places.folder));
      return {
        CANARY_CREDENTIAL: canaries.credential,
        HOLDFAST_CONFIG: join(places.folder, 'server.yaml'),
        HOLDFAST_LOG_LEVEL: 'debug',
        HOLDFAST_GITHUB_CLONE_URL: github.cloneUrlTemplate.replace('://', `://git:${cloneToken}@`),
      };
    },
  });
  const key = (stage.app?.privateKey ?? '').split('\n')[4] ?? '';
  secrets = { ...canaries, clone: cloneToken, webhook: stage.places.webhookSecret, web: stage.webToken, key };
  live = followRuns(stage.holdfast.url, stage.webToken, databaseUrl);
  // The first fetch fails, so that git's own words are heard as well.
  stage.github.faults.add({ path: /info\/refs$/, status: 500, times: 2 });
  const { github, repository, places } = stage;
  const order = { author: 'ann', title: 'Secrets', branch: 'secrets', files: projects(places) };
  pull = await github.openPullRequest(repository, order);
  await ended(5);
  sealed = JSON.stringify(await openArtifacts());
  github.comment(pull, 'ann', 'holdfast apply -d sensitive -d handed');
  await ended(7);
  const reply = await stage.comment(pull, 'the apply', (body) => isReply(body) && body.includes('Holdfast apply'));
  expect(reply).toContain('2 applied');
  await live.ended();
  await github.settled();
});

afterAll(async () => {
  await live?.stop();
  await stage?.[Symbol.asyncDispose]();
});

/** So many runs are on record, none is open, and people were told. */
async function ended(count: number): Promise<void> {
  const sql = `select count(*)::int as runs, count(*) filter (where state in ('queued', 'claimed', 'running'))::int as open,
    (select bool_and(publish_done >= publish_wanted) from holdfast.pull_requests) as told from holdfast.runs`;
  const client = new pg.Client({ connectionString: await databaseUrl() });
  await client.connect();
  await stage.wait(`the end of ${count} runs`, async () => {
    const { rows } = await client.query<{ runs: number; open: number; told: boolean }>(sql);
    return rows.find(({ runs, open, told }) => runs === count && open === 0 && told);
  });
  await client.end();
}

async function databaseUrl(): Promise<string> {
  const home = join(stage.places.dataDirectory, 'postgres');
  const password = (await readFile(join(home, 'cluster/holdfast-password'), 'utf8')).trim();
  return `postgresql://holdfast:${password}@localhost/holdfast?host=${encodeURIComponent(join(home, 'run'))}`;
}

async function openArtifacts() {
  const key = await readFile(join(stage.places.dataDirectory, 'encryption.key'), 'utf8');
  const seal = createSeal([new Secret(new Uint8Array(Buffer.from(key.trim(), 'base64')))]);
  const client = new pg.Client({ connectionString: await databaseUrl() });
  await client.connect();
  const { rows } = await client.query<{ id: string; artifact: Buffer }>(
    `select id, artifact from holdfast.plans where state = 'current'`,
  );
  await client.end();
  return rows.map(({ id, artifact }) => openPlanArtifact(seal, id, artifact).sensitiveValues);
}

async function visit(path: string): Promise<string> {
  const headers = { authorization: `Bearer ${stage.webToken}` };
  const answer = await fetch(`${stage.holdfast.url}${path}`, { headers, signal: AbortSignal.timeout(30_000) });
  const text = await answer.text();
  expect(answer.status, `${path}: ${text.slice(0, 300)}`).toBe(200);
  return text;
}

const dump = async (): Promise<readonly StoredValue[]> => dumpDatabase(await databaseUrl());

async function runIds(): Promise<readonly string[]> {
  const ids = (await dump()).filter((one) => one.where === 'holdfast.runs.id');
  return ids.map(({ value }) => value.toString());
}

describe('the search itself', () => {
  test('finds every form of a value, and says which', () => {
    const value = canaries.credential;
    for (const form of writtenForms(value))
      expect(findCanaries(`before ${form} after`, canaries)).toEqual(['credential']);
    expect(findCanaries(Buffer.from(`xy${value}z`).toString('base64'), canaries)).toEqual(['credential']);
    expect(findCanaries('nothing here', canaries)).toEqual([]);
  });

  test('finds them where they must be: the state, the live objects, and what was sealed', async () => {
    const { stateDirectory, cloudDirectory } = stage.places;
    const state = await readFile(join(stateDirectory, 'sensitive.tfstate'), 'utf8');
    expect(findCanaries(state, canaries)).toEqual(
      expect.arrayContaining(['default', 'tfvars', 'attribute', 'derived']),
    );
    const object = await readFile(join(cloudDirectory, 'one.json'), 'utf8');
    expect(findCanaries(object, canaries)).toEqual(expect.arrayContaining(['variable', 'credential']));
    expect(findCanaries(sealed, canaries)).toEqual(
      expect.arrayContaining(['default', 'tfvars', 'attribute', 'derived']),
    );
  });
});

describe('no secret is seen', () => {
  test('in a comment, a check run or a status', async () => {
    const { github, repository } = stage;
    const comments = stage.comments(pull).join('\n');
    const checks = JSON.stringify(repository.checkRuns.map(({ output, name, actions }) => ({ output, name, actions })));
    const statuses = JSON.stringify(repository.statuses.map(({ context, description }) => ({ context, description })));
    expect(comments).toContain('[masked]');
    expect(checks).toContain('[masked]');
    expect(findCanaries(comments, secrets)).toEqual([]);
    expect(findCanaries(checks, secrets)).toEqual([]);
    expect(findCanaries(statuses, secrets)).toEqual([]);
    github.assertClean();
  });

  test('in the log of the process', () => {
    const log = stage.holdfast.log();
    expect(log).toContain('run ended');
    expect(findCanaries(log, secrets)).toEqual([]);
    for (const token of stage.github.hub.world.installationTokens.keys()) expect(log).not.toContain(token);
  });

  test('on a page, in a stream of events, or in the metrics', async () => {
    const ids = await runIds();
    expect(ids.length).toBeGreaterThanOrEqual(7);
    const paths = [
      '/runs',
      '/locks',
      '/projects',
      '/notifications',
      '/metrics',
      ...ids.flatMap((id) => [`/runs/${id}`, `/runs/${id}/log`, `/runs/${id}/events`]),
    ];
    for (const path of paths) expect(findCanaries(await visit(path), secrets), path).toEqual([]);
    const logs = await Promise.all(ids.map((id) => visit(`/runs/${id}/log`)));
    expect(logs.join('')).toContain('[masked]');
    expect(logs.join('')).toContain('private_key');
  });

  test('by somebody who watched while it ran, of what the files and the server declare', () => {
    const { derived: _onlyInThePlan, ...declared } = secrets;
    expect(live.text()).toContain('[masked]');
    expect(findCanaries(live.text(), declared)).toEqual([]);
  });

  test('in a column of the database', async () => {
    const values = await dump();
    const columns = new Set(values.map((one) => one.where));
    expect(columns.size).toBeGreaterThan(60);
    expect([...columns]).toEqual(expect.arrayContaining(['holdfast.runs.result', 'holdfast.deliveries.payload']));
    const found = values.flatMap(({ where, value }) => findCanaries(value, secrets).map((name) => `${where}: ${name}`));
    expect(found).toEqual([]);
  });

  test('in a file of the data directory', async () => {
    const { dataDirectory } = stage.places;
    const entries = await readdir(dataDirectory, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && entry.name !== 'encryption.key');
    expect(files.length).toBeGreaterThan(100);
    const found: string[] = [];
    for (const file of files) {
      const path = join(file.parentPath, file.name);
      const content = await readFile(path).catch(() => Buffer.alloc(0));
      found.push(...findCanaries(content, secrets).map((name) => `${path}: ${name}`));
    }
    expect(found).toEqual([]);
  });
});
