import { readFile } from 'node:fs/promises';
import { canonicalizePlan } from '../../src/core/canonical-plan.ts';
import { classifyDrift } from '../../src/core/drift/classify-drift.ts';
import { parsePlanJson } from '../../src/core/plan-json.ts';
import { createMasker } from '../../src/lib/mask.ts';

/**
 * A process of its own, so that its peak is that of one plan: reads the plan of the path it is given, classifies it as a drift check
 * does, and prints what that took as one line of JSON. With `read` as second word it only reads the file.
 */
const [, , path = '', only] = process.argv;
const KEY = Buffer.from('a key of this installation');

async function run(): Promise<object> {
  const text = await readFile(path, 'utf8');
  const startedAt = performance.now();
  if (only === 'read') return { peak: peakBytes() };
  const plan = parsePlanJson(text);
  const parsedAt = performance.now();
  const { digest } = canonicalizePlan(plan, { key: KEY, ignore: [] });
  const canonicalAt = performance.now();
  const { mask } = createMasker(['correct-horse-battery']);
  const found = classifyDrift(plan, { inputs: 'unchanged', key: KEY, mask, canonicalDigest: digest });
  const endedAt = performance.now();
  return {
    parse: parsedAt - startedAt,
    canonicalize: canonicalAt - parsedAt,
    classify: endedAt - canonicalAt,
    peak: peakBytes(),
    differing: found.resources.length,
    sync: found.sync,
  };
}

/** maxRSS is in KiB; https://nodejs.org/api/process.html#processresourceusage */
function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

process.stdout.write(`${JSON.stringify(await run())}\n`);
