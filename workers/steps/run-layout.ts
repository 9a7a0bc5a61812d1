import { mkdir, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { Mount } from '../../src/ports/sandbox.ts';
import type { ProjectRun, ProviderSources } from './project-run.ts';

/** One folder of a run: where it is on this machine and where the sandbox sees it. */
export interface Place {
  readonly host: string;
  readonly inside: string;
}

/** The folders of one run. */
export interface RunLayout {
  readonly checkout: Place;
  /** Writable; the plan stage's files. */
  readonly output: Place;
  /** Read-only inside; the plan file whose facts were read. */
  readonly plan: Place;
  /** Home of plan, apply and custom steps. */
  readonly home: Place;
  /** Home of init alone: a custom step must not be able to leave a `.gitconfig` that runs a program where init's credentials are. */
  readonly initHome: Place;
  readonly cliConfig: Place;
  /** The project's directory inside. */
  readonly projectDirectory: string;
}

export const PLAN_FILE = 'plan.tfplan';
export const SHOW_FILE = 'plan.json';
export const POLICY_CHECK_FILE = 'policy-check.json';

/** Where the parts appear when mounts can have targets of their own. */
const FIXED_ROOT = '/holdfast';

/** Sources are given without links on the way, since no other can be mounted. */
export async function runLayout(
  run: Pick<ProjectRun, 'checkoutDirectory' | 'directory' | 'fixedPaths' | 'project'>,
): Promise<RunLayout> {
  const [folder, files] = await Promise.all([realpath(run.directory), realpath(run.checkoutDirectory)]);
  const place = (host: string, name: string): Place => ({
    host,
    inside: run.fixedPaths ? join(FIXED_ROOT, name) : host,
  });
  const checkout = place(files, 'checkout');
  const own = (name: string) => place(join(folder, name), name);
  return {
    checkout,
    output: own('output'),
    plan: own('plan'),
    home: own('home'),
    initHome: own('init-home'),
    cliConfig: own('terraform.rc'),
    projectDirectory: join(checkout.inside, run.project.dir),
  };
}

/** Makes the folders and gives them to the slot. The checkout is already there. */
export async function prepareLayout(run: ProjectRun, layout: RunLayout): Promise<void> {
  const folders = [layout.output, layout.plan, layout.home, layout.initHome].map(({ host }) => host);
  for (const folder of folders) {
    // A former stage of the same run may have taken all rights from its files.
    if (await stat(folder).catch(() => undefined)) await run.slot.reclaim(folder);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o755 });
  }
  await writeFile(layout.cliConfig.host, cliConfig(run.providers, run.network !== 'none'), { mode: 0o644 });
  await Promise.all([layout.checkout.host, ...folders].map((directory) => run.slot.own(directory)));
}

/** With an explicit `provider_installation` Terraform looks nowhere else: not in the checkout, not in a home, not at registries. */
export function cliConfig(providers: Pick<ProviderSources, 'mirrorDirectories' | 'direct'>, online: boolean): string {
  const mirrors = providers.mirrorDirectories.map(
    (path) => `  filesystem_mirror {\n    path = ${hclText(path)}\n  }\n`,
  );
  // A registry that cannot be reached would make even mirrored providers fail.
  const direct = providers.direct && online ? '  direct {}\n' : '';
  return `disable_checkpoint = true\nprovider_installation {\n${mirrors.join('')}${direct}}\n`;
}

function hclText(text: string): string {
  return JSON.stringify(text).replaceAll(/[$%]\{/g, (start) => start.charAt(0) + start);
}

export function mountOf(place: Place, mode: Mount['mode']): Mount {
  return place.host === place.inside
    ? { source: place.host, mode }
    : { source: place.host, target: place.inside, mode };
}

/** Writable places that the operator gave; a state may be kept there. */
export function statePlaces(mounts: readonly Mount[]): readonly { readonly path: string }[] {
  return mounts.filter(({ mode }) => mode === 'rw').map(({ source, target }) => ({ path: target ?? source }));
}

/** A path in the project's directory as Terraform means it: relative ones start at its working directory. */
export function absoluteInside(layout: RunLayout, path: string): string {
  return isAbsolute(path) ? path : join(layout.projectDirectory, path);
}
