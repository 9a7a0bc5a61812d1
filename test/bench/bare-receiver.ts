import { createServer } from 'node:http';
import pg from 'pg';

/**
 * The least that can take webhooks without losing one: Node's own HTTP server and one durable INSERT before the answer. A process of its own,
 * as Holdfast is. Environment: DATABASE_URL. It tells its port through the channel to its parent, and ends with it.
 */
const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 10 });
await pool.query('create table if not exists bare_deliveries (id text primary key, payload text not null)');

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const row = [request.headers['x-github-delivery'], Buffer.concat(chunks).toString()];
    pool.query('insert into bare_deliveries (id, payload) values ($1, $2) on conflict do nothing', row).then(
      () => response.writeHead(202).end(),
      () => response.writeHead(503).end(),
    );
  });
});
server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
process.on('disconnect', () => process.exit(0));
