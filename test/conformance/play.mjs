import { resolve } from 'node:path';
import { commentRows } from './comment-rows.mjs';
import { configRows } from './config-rows.mjs';
import { exceptionFor } from './exceptions.mjs';
import { finderRows } from './finder-rows.mjs';

/** Plays the rows of another program's own tests and says which are answered otherwise. */
const directory = resolve(process.argv[2] ?? '../shared/conformance');
const rows = [...commentRows(directory), ...configRows(directory), ...finderRows(directory)];
const results = rows.map(({ name, check }) => ({ name, problem: attempt(check), exception: exceptionFor(name) }));
const failed = results.filter((row) => row.problem !== undefined && row.exception === undefined);
const excepted = results.filter((row) => row.problem !== undefined && row.exception !== undefined);
for (const row of excepted) console.log(`exception  ${row.name}\n           ${row.exception}`);
for (const row of failed) console.log(`FAILED     ${row.name}\n           ${row.problem}`);
console.log(
  `${rows.length} rows: ${rows.length - failed.length - excepted.length} pass, ${excepted.length} exceptions, ${failed.length} failed`,
);
process.exitCode = failed.length > 0 || rows.length === 0 ? 1 : 0;

function attempt(check) {
  try {
    return check();
  } catch (error) {
    return `threw ${error instanceof Error ? error.stack : String(error)}`;
  }
}
