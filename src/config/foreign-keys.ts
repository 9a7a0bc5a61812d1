import type { ConfigProblem } from '../core/reply.ts';
import { problemOfForeignStep } from './step-schema.ts';
import { formatPath } from './schema-problems.ts';
import type { Path, YamlFile } from './yaml-file.ts';

/**
 * Keys that Atlantis has and Holdfast does not honour. `error`: passing it over would drop a protection or a part of
 * the work; `warning`: nothing is lost but what is said.
 */
export interface ForeignKey {
  readonly severity: 'warning' | 'error';
  readonly why: string;
  /** This value asks for nothing, so there is nothing to refuse. */
  readonly harmless?: unknown;
  /** What a list here may hold; anything else is a mistake, whoever reads it. */
  readonly values?: readonly string[];
}

/** By place, with `*` for the items of a list and for names of people's own choosing. */
export type ForeignKeys = Readonly<Record<string, Readonly<Record<string, ForeignKey>>>>;

export interface Cleaned {
  readonly data: unknown;
  readonly warnings: readonly ConfigProblem[];
  readonly problems: readonly ConfigProblem[];
}

const STAGES = ['policy_check', 'import', 'state_rm'];
const STAGE: ForeignKey = { severity: 'warning', why: 'this stage is not run' };

export const WORKFLOW_STAGES: ForeignKeys = {
  'workflows.*': Object.fromEntries(STAGES.map((stage) => [stage, STAGE])),
};

/** Takes out what is Atlantis' alone and says so, and drops keys without a value: to Atlantis they are not written. */
export function cleanForeignKeys(yaml: YamlFile, foreign: ForeignKeys): Cleaned {
  const found: { severity: 'warning' | 'error'; problem: ConfigProblem }[] = [];
  const note = (severity: 'warning' | 'error', path: Path, key: string, why: string) => {
    const message = `${formatPath([...path, key])}: known to Atlantis, not honoured by Holdfast yet: ${why}`;
    found.push({
      severity,
      problem: { file: yaml.file, line: yaml.lineOfKey(path, key), message, suggestion: undefined },
    });
  };
  const clean = (value: unknown, path: Path): unknown => {
    if (Array.isArray(value)) return value.map((item, index) => clean(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    const rules = foreign[place(path)] ?? {};
    const kept = Object.entries(value).filter(([key, inner]) => {
      const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
      if (rule === undefined) return inner !== null || isNamed(path);
      const severity = rule.harmless !== undefined && inner === rule.harmless ? 'warning' : rule.severity;
      const strange = rule.values === undefined ? undefined : findStrange(inner, rule.values);
      if (strange === undefined) note(severity, path, key, rule.why);
      else
        note(
          'error',
          path,
          key,
          `${rule.why}; and ${JSON.stringify(strange)} is not a valid value, only ${rule.values?.join(', ')} are`,
        );
      if (place(path) === 'workflows.*') checkStage(yaml, [...path, key], inner, found);
      return false;
    });
    return Object.fromEntries(kept.map(([key, inner]) => [key, inner === null ? {} : clean(inner, [...path, key])]));
  };
  const data = clean(yaml.data, []);
  const of = (severity: 'warning' | 'error') =>
    found.flatMap((one) => (one.severity === severity ? [one.problem] : []));
  return { data, warnings: of('warning'), problems: of('error') };
}

function findStrange(value: unknown, values: readonly string[]): unknown {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.find((item) => !values.some((known) => known === item));
}

/** A workflow may be nothing but its name. */
function isNamed(path: Path): boolean {
  return path.length === 1 && path[0] === 'workflows';
}

function place(path: Path): string {
  return path
    .map((step, index) => (typeof step === 'number' || (index === 1 && path[0] === 'workflows') ? '*' : step))
    .join('.');
}

/** A stage that is not run is still read, so that a mistake does not wait for the day it is. */
function checkStage(
  yaml: YamlFile,
  path: Path,
  stage: unknown,
  found: { severity: 'warning' | 'error'; problem: ConfigProblem }[],
): void {
  const steps: unknown = typeof stage === 'object' && stage !== null && 'steps' in stage ? stage.steps : undefined;
  if (!Array.isArray(steps)) return;
  for (const [index, step] of steps.entries()) {
    const problem = problemOfForeignStep(step);
    if (problem === undefined) continue;
    const at = [...path, 'steps', index];
    const message = `${formatPath(at)}: ${problem}`;
    found.push({
      severity: 'error',
      problem: { file: yaml.file, line: yaml.lineOf(at), message, suggestion: undefined },
    });
  }
}
