// Writes a line into the standard output of another process, where its reader takes it for that process' result. Argument: its pid.
import { writeFileSync } from 'node:fs';

try {
  writeFileSync(`/proc/${process.argv[2]}/fd/1`, 'forged result\n', { flag: 'a' });
  console.log('BREACH');
} catch (error) {
  console.log(`held ${error.code}`);
}
console.log('TRIED');
