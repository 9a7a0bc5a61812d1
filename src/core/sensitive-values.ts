import { asList, asObject, type JsonObject } from './json-value.ts';
import type { PlanJson } from './plan-json.ts';
import { valueLeaves } from './value-leaves.ts';

/** Names of provider and backend arguments whose literal value is taken for a secret; their schema, which would tell, is not in the plan. */
const SECRET_NAME =
  /pass(word|wd|phrase)?|secret|token|private_?key|access_?key|account_?key|api_?key|sas|credential|conn_str|connection_string/i;

/** Whether a variable or argument of this name probably holds a secret. */
export function looksSecret(name: string): boolean {
  return SECRET_NAME.test(name);
}

/**
 * Every value that must not be shown to people: what Terraform marks as sensitive in changes, state and outputs, values of
 * variables declared sensitive, and literals of secret-looking provider arguments. Numbers are given as text; `true`, `false`
 * and `null` are left out, since masking them would only garble the text.
 */
export function sensitiveValues(plan: PlanJson): readonly string[] {
  const found = new Set<string>();
  const add = (value: unknown) => addTexts(found, value);
  const changes = [...(plan.resource_changes ?? []), ...(plan.resource_drift ?? [])].map(({ change }) => change);
  for (const change of [...changes, ...Object.values(plan.output_changes ?? {})]) {
    addMarked(found, change.before, change.before_sensitive);
    addMarked(found, change.after, change.after_sensitive);
  }
  for (const values of [valuesOf(plan.prior_state), plan.planned_values]) addState(found, values);
  const configuration = asObject(plan.configuration);
  addModule(found, asObject(configuration['root_module']), plan.variables ?? {});
  for (const provider of Object.values(asObject(configuration['provider_config']))) {
    for (const value of secretArguments(asObject(provider)['expressions'], plan.variables ?? {})) add(value);
  }
  return [...found];
}

/** Secrets in what `init` wrote down of the backend (`.terraform/terraform.tfstate`); that file is the slot's, so anything may be in it. */
export function sensitiveBackendValues(backendConfig: unknown): readonly string[] {
  const found = new Set<string>();
  for (const [path, value] of valueLeaves(backendConfig)) if (looksSecret(path)) addTexts(found, value);
  return [...found];
}

function addTexts(found: Set<string>, value: unknown): void {
  for (const [, leaf] of valueLeaves(value)) {
    if ((typeof leaf === 'string' && leaf !== '') || typeof leaf === 'number') found.add(String(leaf));
  }
}

/** `marks` is `true` for all of it, or a tree like the value itself with `true` at the marked places. */
function addMarked(found: Set<string>, value: unknown, marks: unknown): void {
  if (marks === true) {
    addTexts(found, value);
  } else if (Array.isArray(marks)) {
    const items = asList(value);
    for (const [index, mark] of marks.entries()) addMarked(found, items[index], mark);
  } else {
    const members = asObject(value);
    for (const [key, mark] of Object.entries(asObject(marks))) addMarked(found, members[key], mark);
  }
}

function valuesOf(state: unknown): unknown {
  return asObject(state)['values'];
}

function addState(found: Set<string>, values: unknown): void {
  for (const output of Object.values(asObject(asObject(values)['outputs']))) {
    if (asObject(output)['sensitive'] === true) addTexts(found, asObject(output)['value']);
  }
  addStateModule(found, asObject(asObject(values)['root_module']));
}

function addStateModule(found: Set<string>, module: JsonObject): void {
  for (const entry of asList(module['resources'])) {
    const resource = asObject(entry);
    addMarked(found, resource['values'], resource['sensitive_values']);
  }
  for (const child of asList(module['child_modules'])) addStateModule(found, asObject(child));
}

/** `given` are the root's variables; a child's are literals of its call. */
function addModule(found: Set<string>, module: JsonObject, given: JsonObject): void {
  for (const [name, declared] of Object.entries(asObject(module['variables']))) {
    if (asObject(declared)['sensitive'] !== true) continue;
    addTexts(found, asObject(declared)['default']);
    addTexts(found, asObject(given[name])['value']);
    addTexts(found, asObject(given[name])['constant_value']);
  }
  for (const call of Object.values(asObject(module['module_calls']))) {
    addModule(found, asObject(asObject(call)['module']), asObject(asObject(call)['expressions']));
  }
}

/** Literals and plain `var.x` behind secret-looking names, in blocks within blocks too. */
function* secretArguments(expressions: unknown, variables: JsonObject): Generator<unknown> {
  for (const [name, expression] of Object.entries(asObject(expressions))) {
    const { constant_value: literal, references } = asObject(expression);
    if (looksSecret(name)) {
      yield literal;
      for (const reference of asList(references)) {
        yield asObject(variables[/^var\.([\w-]+)$/.exec(String(reference))?.[1] ?? ''])['value'];
      }
    }
    for (const block of [expression, ...asList(expression)]) {
      if (literal === undefined && references === undefined) yield* secretArguments(block, variables);
    }
  }
}
