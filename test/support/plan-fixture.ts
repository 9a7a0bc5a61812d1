import { readFileSync } from 'node:fs';
import { type PlanJson, parsePlanJson } from '../../src/core/plan-json.ts';

/** What Terraform answered to `show -json`; `test/fixtures/plan-json/capture.ts` tells how each came about. */
export function readPlanFixture(name: string): string {
  return readFileSync(new URL(`../fixtures/plan-json/${name}.json`, import.meta.url), 'utf8');
}

export function planFixture(name: string): PlanJson {
  return parsePlanJson(readPlanFixture(name));
}
