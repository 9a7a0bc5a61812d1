import { HostRefusedError, HostUnavailableError } from '../src/core/host-error.ts';
import { createMasker } from '../src/lib/mask.ts';
import { RetryLaterError } from '../src/ports/job-queue.ts';
import { MirrorError } from '../src/ports/repository-mirror.ts';
import { SandboxUnavailableError } from '../src/ports/sandbox.ts';
import { ProjectRefusedError } from './project-refused-error.ts';

/** Messages may quote what others printed: URLs with credentials, tokens. */
const PATTERNS = createMasker([]);

/** What people are told of an error that is not Terraform's: what it means and what to do. Nothing of ours that they cannot use. */
export function describeError(error: unknown): string {
  return PATTERNS.mask(inWords(error));
}

function inWords(error: unknown): string {
  if (error instanceof HostUnavailableError) {
    return `The VCS host could not be asked: ${error.message}. Nothing was changed; try again when it is back.`;
  }
  if (error instanceof HostRefusedError) {
    const permission =
      error.neededPermission === undefined ? '' : ` It asks for the permission ${error.neededPermission}.`;
    return `The VCS host refused: ${error.message}.${permission} An operator of Holdfast has to see to it.`;
  }
  if (error instanceof RetryLaterError) return `Not yet possible: ${error.message}. Nothing was changed; try again.`;
  if (error instanceof ProjectRefusedError) return error.message;
  if (error instanceof MirrorError) return `The repository could not be read: ${error.message}`;
  if (error instanceof SandboxUnavailableError) {
    return `The sandbox could not be built, and nothing is run without it: ${error.message}`;
  }
  return 'Holdfast itself failed here. Its log has the details; trying again may help.';
}
