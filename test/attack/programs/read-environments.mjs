// Looks for another process' secret in every environment that /proc shows. Argument: the variable's name.
import { readdirSync, readFileSync } from 'node:fs';

const [, , name] = process.argv;
for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
  try {
    if (readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${name}=`))
      console.log(`BREACH environment of ${pid}`);
  } catch {
    // Closed, or gone.
  }
}
console.log('TRIED');
