import type { Backend } from './root-module.ts';

/** Why a project with this backend is not planned here at all; undefined when it is. */
export function planRefusal(backend: Backend): string | undefined {
  if (backend.kind !== 'cloud' && backend.kind !== 'remote') return undefined;
  const workspace = backend.workspace === undefined ? '' : ` (workspace "${backend.workspace}")`;
  const block = backend.kind === 'cloud' ? '`cloud` block' : '`remote` backend';
  return `This project's ${block} makes HCP Terraform or Terraform Enterprise run its plans and applies${workspace}, with their own queue, locks and approvals. Holdfast leaves it to them: connect the repository to that workspace, or change the backend to one that only stores state.`;
}

/** A place that outlives the checkout because the operator mounted it, writable. */
export interface StatePlace {
  /** Absolute path inside the sandbox. */
  readonly path: string;
}

/** What `init` wrote down of the backend. */
export interface InitializedBackend {
  /** `none` when neither a backend nor a cloud block is declared. */
  readonly type: string;
  /** Absolute path of a local state file. */
  readonly localPath: string | undefined;
}

/** Why a plan of this project may be looked at and not applied; undefined when it may be applied. */
export function applyRefusal(backend: InitializedBackend, places: readonly StatePlace[]): string | undefined {
  if (backend.type !== 'none' && backend.type !== 'local') return undefined;
  const { localPath } = backend;
  if (localPath !== undefined && places.some((place) => isWithin(place.path, localPath))) return undefined;
  const what =
    backend.type === 'none'
      ? 'This root module has no `backend` block, so its state would be a file in the checkout and be lost with it'
      : 'Its local backend keeps the state in the checkout, and it would be lost with that';
  return `${what}: the next plan would create everything once more. Add a backend (s3, gcs, azurerm, http, pg ...), or let the operator mount a writable place and put its path into a \`backend "local"\` block.`;
}

function isWithin(directory: string, path: string): boolean {
  const folder = directory.endsWith('/') ? directory : `${directory}/`;
  return path.startsWith(folder) && !path.split('/').includes('..');
}
