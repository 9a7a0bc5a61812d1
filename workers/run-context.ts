import type { CommitReader } from './commit-facts.ts';
import type { WorkerContext } from './context.ts';
import type { ProviderMirror } from './provider-mirror.ts';
import type { ProviderSources } from './steps/project-run.ts';
import type { TerraformFinder } from './steps/terraform-binary.ts';

/** What runs need beyond the worker's own context; made once per worker. */
export interface RunContext extends WorkerContext {
  readonly commits: CommitReader;
  readonly terraform: TerraformFinder;
  readonly providerMirror: ProviderMirror;
  /** What every run is given of the mirror. */
  readonly providerSources: ProviderSources;
}
