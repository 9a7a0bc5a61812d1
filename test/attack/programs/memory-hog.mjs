// 400 MB of touched memory, shared among two processes so that no limit of a single one is enough.
import { fork } from 'node:child_process';

const STEP_BYTES = 10 * 1024 * 1024;
const STEPS = 20;

console.log('TRIED');
const held = [];
for (let step = 0; step < STEPS; step += 1) held.push(Buffer.alloc(STEP_BYTES, 1));
if (process.argv[2] !== 'second') {
  const second = fork(process.argv[1], ['second']);
  second.once('message', () => {
    console.log(`BREACH ${held.length}`);
    second.kill();
  });
  second.once('exit', () => process.exit());
} else {
  process.send('full');
  setTimeout(() => {}, 5_000);
}
