import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { pathParameter } from './request-fields.ts';

const FOLDER = new URL('../pages/static/', import.meta.url);
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Three small files, held in memory: no path of a request ever reaches the disk, so a library that serves folders has nothing to do. */
export function registerStaticRoutes(app: FastifyInstance): void {
  const files = new Map(readdirSync(FOLDER).map((name) => [name, read(name)]));
  app.get('/static/:name', async (request, reply) => {
    const file = files.get(pathParameter(request, 'name'));
    if (file === undefined) return reply.callNotFound();
    void reply.header('etag', file.etag).header('cache-control', 'no-cache');
    if (request.headers['if-none-match'] === file.etag) return reply.code(304).send();
    return reply.type(file.type).send(file.content);
  });
}

function read(name: string) {
  const content = readFileSync(new URL(name, FOLDER));
  const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 16)}"`;
  return { content, etag, type: TYPES[extname(name)] ?? 'application/octet-stream' };
}
