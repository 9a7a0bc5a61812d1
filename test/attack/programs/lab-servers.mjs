// Servers that greet whoever reaches them. Variable SERVERS: a JSON list of listen options.
import { createServer } from 'node:net';

const servers = JSON.parse(process.env.SERVERS);
for (const { name, ...options } of servers) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(`${name}\n`);
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, resolve);
  });
}
console.log('ready');
