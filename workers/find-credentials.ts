import { realpath } from 'node:fs/promises';
import { execa, type Result } from 'execa';
import { z } from 'zod';
import type { CredentialConfig, CredentialPhase } from '../src/config/server-config.ts';
import type { Project } from '../src/core/project.ts';
import type { Repository } from '../src/core/repository.ts';
import { compileGlob } from '../src/lib/glob.ts';
import { Secret } from '../src/lib/secret.ts';
import type { Mount } from '../src/ports/sandbox.ts';
import type { WorkerContext } from './context.ts';
import { repositoryName } from './gather-pull-request.ts';
import { ProjectRefusedError } from './project-refused-error.ts';
import type { Credentials, PhaseCredentials } from './steps/project-run.ts';

/** A program that makes credentials must not hold a run up for longer than this, milliseconds. */
const COMMAND_TIMEOUT_MS = 30_000;

/** Bytes. */
const LONGEST_ANSWER = 1024 * 1024;

const CommandAnswer = z.strictObject({ env: z.record(z.string(), z.string()) });

/** The credentials that the operator gives this project, by phase. Commands run on the server, without a shell, and never see the pull request's files. */
export async function findCredentials(
  { config }: Pick<WorkerContext, 'config'>,
  repository: Repository,
  project: Project,
): Promise<Credentials> {
  const chosen = chosenCredentials({ config }, repository, project);
  const isContained = config.sandbox.kind !== 'none';
  const made = await Promise.all(
    chosen.map(async (credential) => ({
      credential,
      env: await environment(credential),
      mounts: await Promise.all(credential.files.map((file) => toMount(credential, file, isContained))),
    })),
  );
  const phase = (name: CredentialPhase): PhaseCredentials => {
    const own = made.filter(({ credential }) => credential.phases.includes(name));
    return { env: Object.assign({}, ...own.map(({ env }) => env)), mounts: own.flatMap(({ mounts }) => mounts) };
  };
  return { init: phase('init'), plan: phase('plan'), apply: phase('apply') };
}

/** Those whose selector names this project. */
export function chosenCredentials(
  { config }: Pick<WorkerContext, 'config'>,
  repository: Repository,
  project: Project,
): readonly CredentialConfig[] {
  return config.credentials.filter(({ selector }) => selects(selector, repository, project));
}

function selects(selector: CredentialConfig['selector'], repository: Repository, project: Project): boolean {
  // Hosts do not tell apart how a repository's name is capitalised, so neither does a selector.
  const name = repositoryName(repository).toLowerCase();
  const repositories = selector.repositories.map((glob) => glob.toLowerCase());
  return (
    matchesAny(repositories, name) &&
    matchesAny(selector.dirs, project.dir) &&
    matchesAny(selector.workspaces, project.workspace) &&
    matchesAny(selector.projects, project.name)
  );
}

function matchesAny(globs: readonly string[], text: string | undefined): boolean {
  if (globs.length === 0) return true;
  if (text === undefined) return false;
  return globs.some((pattern) => {
    const glob = compileGlob(pattern);
    return 'matches' in glob && glob.matches(text);
  });
}

/** Where the file is at this moment: secrets that Kubernetes mounts are links, which lead elsewhere after every rotation. */
async function toMount(
  { name }: CredentialConfig,
  { source, target }: CredentialConfig['files'][number],
  isContained: boolean,
): Promise<Mount> {
  const real = await realpath(source).catch(() => undefined);
  if (real === undefined) throw refused(name, `its file ${source} does not exist`);
  // Without a sandbox nothing is mounted, and every file is seen at its own place.
  return { source: isContained ? real : source, target, mode: 'ro' };
}

async function environment({ name, env, command }: CredentialConfig): Promise<Readonly<Record<string, Secret>>> {
  if (command === undefined) return env;
  const [file, ...args] = command;
  const result = await execa(file, args, {
    timeout: COMMAND_TIMEOUT_MS,
    reject: false,
    stdin: 'ignore',
    maxBuffer: LONGEST_ANSWER,
  });
  if (result.failed) throw refused(name, failureOf(file, result));
  const answer = readAnswer(result.stdout);
  if (answer === undefined)
    throw refused(name, 'its command did not print JSON of the form {"env": {"NAME": "value"}}');
  const made = Object.entries(answer.env).map(([key, value]) => [key, new Secret(value)]);
  return { ...env, ...Object.fromEntries(made) };
}

const NOT_STARTED: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such program, or its interpreter is missing',
  EACCES: 'it may not be executed',
};

/** Of the command only its program is named: arguments may be secret. */
function failureOf(
  program: string,
  result: Pick<Result, 'code' | 'exitCode' | 'signal' | 'timedOut' | 'isMaxBuffer' | 'originalMessage'>,
): string {
  if (result.timedOut) return `its command ${program} did not end within ${COMMAND_TIMEOUT_MS / 1000} seconds`;
  if (result.isMaxBuffer) return `its command ${program} printed more than 1 MiB`;
  if (result.signal !== undefined) return `its command ${program} was ended by ${result.signal}`;
  if (result.exitCode !== undefined) return `its command ${program} failed with exit code ${result.exitCode}`;
  const reason = NOT_STARTED[result.code ?? ''] ?? result.originalMessage ?? 'the system does not say why';
  return `its command ${program} could not be started: ${reason}`;
}

function readAnswer(text: string): z.infer<typeof CommandAnswer> | undefined {
  try {
    return CommandAnswer.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function refused(name: string, reason: string): ProjectRefusedError {
  return new ProjectRefusedError(
    `The credential "${name}" could not be made: ${reason}. Nothing was run; an operator has to see to it.`,
  );
}
