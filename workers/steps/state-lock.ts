/** Who holds a state lock, as far as Terraform's error tells the truth about it. */
export interface StateLock {
  /** The holder's lock id, for `terraform force-unlock`; undefined when the backend does not tell. */
  readonly holderId: string | undefined;
  /** `who@host` of the holder; undefined where the error names only the one who asked. */
  readonly holder: string | undefined;
  readonly operation: string | undefined;
  readonly since: string | undefined;
  /** One paragraph for people. */
  readonly explanation: string;
}
