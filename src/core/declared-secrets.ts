import { isObject, listBlocks, listLabelled } from './configuration-body.ts';
import type { JsonObject, JsonValue } from './configuration-file.ts';
import { looksSecret } from './sensitive-values.ts';
import { valueLeaves } from './value-leaves.ts';

/**
 * What the files themselves say must not be shown. It is known before anything runs, while what Terraform marks as sensitive
 * shows only in a finished plan: a plan that fails before that may print these.
 */
export interface DeclaredSecrets {
  /** Names of variables declared sensitive. */
  readonly variables: readonly string[];
  /** Literals: defaults of those variables, and arguments whose name says that they are secret. */
  readonly values: readonly string[];
}

/** Arguments of resources and modules have names of every kind (`secret_name`, `token_type`), so here the end of the name decides. */
const SECRET_END = /(?:^|_)(?:pass(?:word|wd|phrase)?|secret|token|(?:private|access|account|api)_?key)$/i;

/** Of one directory's files. */
export function findDeclaredSecrets(bodies: readonly JsonObject[]): DeclaredSecrets {
  const sensitive = bodies
    .flatMap((body) => listLabelled(body, 'variable'))
    .filter(([, block]) => block['sensitive'] === true);
  const values = new Set(sensitive.flatMap(([, block]) => literals(block['default'])));
  for (const body of bodies) for (const value of secretArguments(body)) values.add(value);
  return { variables: sensitive.map(([name]) => name), values: [...values] };
}

/** Values that a file of variables (`*.tfvars`) gives to sensitive variables, or to those whose name says enough. */
export function variableFileSecrets(body: JsonObject, sensitive: ReadonlySet<string>): readonly string[] {
  return Object.entries(body).flatMap(([name, value]) =>
    sensitive.has(name) || looksSecret(name) ? literals(value) : [],
  );
}

function secretArguments(body: JsonObject): readonly string[] {
  const configured = [
    ...listBlocks(body, 'terraform').flatMap((block) => listLabelled(block, 'backend')),
    ...listLabelled(body, 'provider'),
  ];
  const used = [body['resource'], body['data'], body['module'], body['locals']];
  return [
    ...configured.flatMap(([, block]) => argumentsNamed(block, looksSecret)),
    ...used.flatMap((blocks) => argumentsNamed(blocks, (name) => SECRET_END.test(name))),
  ];
}

/** Literals behind names that `isSecret` knows, at any depth. */
function argumentsNamed(value: JsonValue | undefined, isSecret: (name: string) => boolean): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item: JsonValue) => argumentsNamed(item, isSecret));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    isSecret(name) && !holdsBlocks(inner) ? literals(inner) : argumentsNamed(inner, isSecret),
  );
}

/** A block or a label may be called `secret` as well; what matters is inside it then. */
function holdsBlocks(value: JsonValue): boolean {
  return isObject(value) || (Array.isArray(value) && value.some(isObject));
}

/** Texts without expressions, and numbers as text. */
function literals(value: JsonValue | undefined): readonly string[] {
  return [...valueLeaves(value)].flatMap(([, leaf]) => {
    if (typeof leaf === 'number') return [String(leaf)];
    return typeof leaf === 'string' && leaf !== '' && !/[$%]\{/.test(leaf) ? [leaf] : [];
  });
}
