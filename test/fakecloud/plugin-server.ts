import { mkdtempSync, rmSync } from 'node:fs';
import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSignedCertificate } from './certificate.ts';

export type FindHandler = (path: string) => ((request: Uint8Array) => Promise<Buffer>) | undefined;

/** Proof that Terraform is the parent and not a person; a constant of the protocol. */
const MAGIC_COOKIE = 'd602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2';
const GRPC_UNKNOWN = 2;
const GRPC_UNIMPLEMENTED = 12;
const ANSWER = { ':status': 200, 'content-type': 'application/grpc' };

/**
 * Speaks go-plugin's handshake and gRPC over a unix socket. Plain node:http2 carries it, since unary calls are one length-prefixed
 * message each way, and `@grpc/grpc-js` alone would take longer to load than all the rest.
 */
export function servePlugin(environment: NodeJS.ProcessEnv, findHandler: FindHandler): void {
  if (environment['TF_PLUGIN_MAGIC_COOKIE'] !== MAGIC_COOKIE) {
    process.stderr.write('This is a Terraform provider; Terraform runs it.\n');
    process.exit(1);
  }
  // Ctrl-C reaches the whole process group, and Terraform tells us to stop in its own way.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => process.exit(0));
  exitWithParent();

  const directory = mkdtempSync(join(tmpdir(), 'fc'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const socket = join(directory, 's');
  const { server, certificate } = createPluginServer(environment['PLUGIN_CLIENT_CERT']);
  server.on('session', (session) => session.on('error', () => {}));
  server.on('stream', (stream, headers) => onStream(stream, headers, findHandler));
  server.listen(socket, () => process.stdout.write(`1|6|unix|${socket}|grpc|${certificate}\n`));
}

/** With Terraform's throw-away client certificate both sides authenticate each other; without it, it is plain HTTP/2. */
function createPluginServer(clientCertificate: string | undefined): {
  server: Http2Server | Http2SecureServer;
  certificate: string;
} {
  if (!clientCertificate) return { server: createServer(), certificate: '' };
  const own = selfSignedCertificate(new Date());
  const server = createSecureServer({
    cert: own.pem,
    key: own.keyPem,
    ca: [clientCertificate],
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
  });
  return { server, certificate: own.der.toString('base64').replace(/=+$/, '') };
}

/** Nobody tells a provider when Terraform is killed. */
function exitWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(0);
  }, 500).unref();
}

function onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, findHandler: FindHandler): void {
  stream.on('error', () => {});
  const path = String(headers[':path']);
  // Not exiting at once here costs two seconds per provider process.
  if (path === '/plugin.GRPCController/Shutdown') {
    stream.on('close', () => process.exit(0));
    answer(stream, Buffer.alloc(0));
    return;
  }
  const handle = findHandler(path);
  if (handle === undefined) {
    stream.resume();
    fail(stream, GRPC_UNIMPLEMENTED, path);
    return;
  }
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => {
    const request = Buffer.concat(chunks);
    if (request[0] !== 0) return fail(stream, GRPC_UNIMPLEMENTED, 'compression');
    handle(request.subarray(5)).then(
      (body) => answer(stream, body),
      (cause: unknown) => fail(stream, GRPC_UNKNOWN, String(cause)),
    );
  });
}

function answer(stream: ServerHttp2Stream, body: Buffer): void {
  if (stream.destroyed) return;
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(body.length, 1);
  stream.respond(ANSWER, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': 0 }));
  stream.end(Buffer.concat([prefix, body]));
}

function fail(stream: ServerHttp2Stream, status: number, message: string): void {
  if (stream.destroyed || stream.headersSent) return;
  const headers = { ...ANSWER, 'grpc-status': status, 'grpc-message': encodeURIComponent(message) };
  stream.respond(headers, { endStream: true });
}
