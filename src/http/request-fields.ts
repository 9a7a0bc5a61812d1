import { isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** No form of ours is longer. */
const MAX_BYTES = 16 * 1024;

/** The page's forms are all there is to post, so nothing else is read: no JSON, no uploads. */
export function registerFormBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: MAX_BYTES },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(body.toString()))),
  );
}

/** The client's address; that of the connection where a proxy passed on something else. */
export function clientAddress({ ip, socket }: FastifyRequest): string {
  return isIP(ip) === 0 ? (socket.remoteAddress ?? '') : ip;
}

/** A field of the posted form; empty when there is none. */
export function formField(request: FastifyRequest, name: string): string {
  return textOf(request.body, name) ?? '';
}

/** A parameter of the address; undefined when it is missing or given twice. */
export function queryParameter(request: FastifyRequest, name: string): string | undefined {
  return textOf(request.query, name);
}

/** A part of the address's path. */
export function pathParameter(request: FastifyRequest, name: string): string {
  return textOf(request.params, name) ?? '';
}

function textOf(fields: unknown, name: string): string | undefined {
  if (typeof fields !== 'object' || fields === null || !Object.hasOwn(fields, name)) return undefined;
  const value: unknown = Reflect.get(fields, name);
  return typeof value === 'string' ? value.replaceAll('\0', '') : undefined;
}
