// Connects to servers and reads their greeting. Arguments: tcp:ADDRESS:PORT, unix:PATH or abstract:NAME.
import { connect } from 'node:net';

const PATIENCE_MS = 1_500;

function options(target) {
  const [kind, ...rest] = target.split(':');
  if (kind === 'unix') return { path: rest.join(':') };
  if (kind === 'abstract') return { path: `\0${rest.join(':')}` };
  return { port: Number(rest.at(-1)), host: rest.slice(0, -1).join(':') };
}

function attempt(target) {
  return new Promise((resolve) => {
    const socket = connect(options(target));
    const end = (answer) => {
      socket.destroy();
      resolve(`${answer} ${target}`);
    };
    socket.setTimeout(PATIENCE_MS, () => end('held (no answer)'));
    socket.once('data', (greeting) => end(`BREACH ${greeting.toString().trim()} at`));
    socket.once('error', (error) => end(`held (${error.code})`));
    socket.once('end', () => end('held (closed)'));
  });
}

for (const line of await Promise.all(process.argv.slice(2).map(attempt))) console.log(line);
console.log('TRIED');
