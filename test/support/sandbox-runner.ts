import { text } from 'node:stream/consumers';
import { playScenario, type SandboxScenario } from './sandbox-scenario.ts';

/** A program of its own that plays the scenario on its stdin: the "server" that an attack is against. */
const scenario = JSON.parse(await text(process.stdin)) as SandboxScenario;
const outcome = await playScenario(scenario);
process.stdout.write(JSON.stringify({ ...outcome, peakBytes: process.resourceUsage().maxRSS * 1024 }));
