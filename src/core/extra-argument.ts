/** Where an argument for Terraform was written: a comment, or the steps of a workflow. */
export type ArgumentOrigin = 'comment' | 'workflow';

/** Would take Terraform out of the project, or break what is known of its state and plan file. */
const NEVER: Readonly<Record<string, string>> = {
  chdir: 'it leaves the project that was checked and locked',
  'plugin-dir': 'providers come from the read-only mirror only',
  out: 'the plan file is Holdfast’s to place',
  state: 'the state is what the backend says',
  'state-out': 'the state is what the backend says',
  backup: 'the state is what the backend says',
  json: 'Holdfast chooses the output itself, to read it',
  input: 'nobody could answer a question',
};

const NOT_IN_COMMENTS: Readonly<Record<string, string>> = {
  lock: 'the state lock keeps two writers apart',
  'lock-timeout': 'how long to wait for the state lock is the server’s to say',
};

/** An apply does what the plan says: options that choose what to do belong to `plan`. */
const PLAN_ONLY = new Set(['target', 'target-file', 'exclude', 'exclude-file', 'replace', 'destroy', 'refresh-only']);

/** Why this argument may not be handed to Terraform; undefined when it may. Go's flag package takes one dash for two. */
export function problemOfExtraArgument(
  argument: string,
  command: 'init' | 'plan' | 'apply' | 'show' | 'version',
  origin: ArgumentOrigin,
): string | undefined {
  const name = /^--?(?<name>[^=]+)/.exec(argument)?.groups?.name?.toLowerCase();
  if (name === undefined) return undefined;
  const reason = ownEntry(NEVER, name) ?? (origin === 'comment' ? ownEntry(NOT_IN_COMMENTS, name) : undefined);
  if (reason !== undefined) return `flag ${JSON.stringify(argument)} is not allowed in extra args: ${reason}`;
  if (command === 'apply' && PLAN_ONLY.has(name)) {
    return `flag ${JSON.stringify(argument)} cannot be used with apply: the approved plan is applied as a whole. Use it with plan, then apply that plan`;
  }
  return undefined;
}

function ownEntry(table: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
