import type { TerraformDistribution } from '../../src/core/configuration-file.ts';

/** An executable that was found, asked for its version, and fits. */
export interface TerraformBinary {
  readonly distribution: TerraformDistribution;
  /** Absolute, links resolved. */
  readonly path: string;
  /** Such as `1.11.4`. */
  readonly version: string;
}
