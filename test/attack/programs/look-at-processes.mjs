// Looks for another process in /proc, and through it at its folder. Argument: a word of that process' command line, in two halves.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const [, , first, second] = process.argv;
for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
  try {
    if (!readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(first + second)) continue;
    console.log(`BREACH sees ${pid}`);
    console.log(`BREACH and where it is: ${readlinkSync(`/proc/${pid}/cwd`)}`);
  } catch {
    // Closed, or gone.
  }
}
console.log('TRIED');
