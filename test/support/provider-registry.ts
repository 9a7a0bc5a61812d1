import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { crc32, deflateRawSync } from 'node:zlib';
import { createMessage, generateKey, readPrivateKey, sign } from 'openpgp';
import { selfSignedCertificate } from '../fakecloud/certificate.ts';

/** A provider registry as Terraform's "Provider Registry Protocol" describes it, with one signed provider `acme/fakecloud` 1.0.0. */
export interface ProviderRegistry extends AsyncDisposable {
  /** Such as `localhost:40123`. */
  readonly host: string;
  /** To be trusted through `SSL_CERT_FILE`. */
  readonly certificatePem: string;
  readonly requests: readonly string[];
}

const VERSION = '1.0.0';

export async function startProviderRegistry(program: string, platform: string): Promise<ProviderRegistry> {
  const certificate = selfSignedCertificate(new Date());
  const zipName = `terraform-provider-fakecloud_${VERSION}_${platform}.zip`;
  const zip = storeInZip(`terraform-provider-fakecloud_v${VERSION}`, await readFile(program));
  const sums = `${createHash('sha256').update(zip).digest('hex')}  ${zipName}\n`;
  const { signature, keyId, publicKey } = await signText(sums);
  const [os = '', arch = ''] = platform.split('_');
  const answers: Readonly<Record<string, () => string | Uint8Array>> = {
    '/.well-known/terraform.json': () => JSON.stringify({ 'providers.v1': '/v1/providers/' }),
    '/v1/providers/acme/fakecloud/versions': () =>
      JSON.stringify({ versions: [{ version: VERSION, protocols: ['6.0'], platforms: [{ os, arch }] }] }),
    [`/v1/providers/acme/fakecloud/${VERSION}/download/${os}/${arch}`]: () =>
      JSON.stringify({
        protocols: ['6.0'],
        os,
        arch,
        filename: zipName,
        download_url: `/files/${zipName}`,
        shasums_url: '/files/sums',
        shasums_signature_url: '/files/sums.sig',
        shasum: sums.slice(0, 64),
        signing_keys: { gpg_public_keys: [{ key_id: keyId, ascii_armor: publicKey }] },
      }),
    [`/files/${zipName}`]: () => zip,
    '/files/sums': () => sums,
    '/files/sums.sig': () => signature,
  };
  const requests: string[] = [];
  const server = createServer({ cert: certificate.pem, key: certificate.keyPem }, (request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    const answer = Object.hasOwn(answers, path) ? answers[path]?.() : undefined;
    if (path.endsWith('.json') || path.startsWith('/v1/')) response.setHeader('content-type', 'application/json');
    response.writeHead(answer === undefined ? 404 : 200).end(answer);
  });
  const port = await listen(server);
  return {
    host: `localhost:${port}`,
    certificatePem: certificate.pem,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function signText(text: string): Promise<{ signature: Uint8Array; keyId: string; publicKey: string }> {
  const made = await generateKey({
    type: 'rsa',
    rsaBits: 2048,
    userIDs: [{ name: 'Acme', email: 'acme@example.com' }],
  });
  const key = await readPrivateKey({ armoredKey: made.privateKey });
  const message = await createMessage({ binary: Buffer.from(text) });
  const signature = await sign({ message, signingKeys: key, detached: true, format: 'binary' });
  return { signature, keyId: key.getKeyID().toHex().toUpperCase(), publicKey: made.publicKey };
}

/** One executable file in a zip; Node has no zip writer, and one entry needs no library. */
function storeInZip(name: string, content: Buffer): Buffer {
  const packed = deflateRawSync(content);
  const fields = Buffer.alloc(22);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(8, 4);
  fields.writeUInt16LE(0x21, 8);
  fields.writeUInt32LE(crc32(content), 10);
  fields.writeUInt32LE(packed.length, 14);
  fields.writeUInt32LE(content.length, 18);
  const nameLength = Buffer.alloc(4);
  nameLength.writeUInt16LE(Buffer.byteLength(name), 0);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, nameLength, Buffer.from(name), packed]);
  const attributes = Buffer.alloc(14);
  attributes.writeUInt32LE((0o100755 << 16) >>> 0, 6);
  const madeOnUnix = Buffer.from([20, 3]);
  const central = Buffer.concat([
    Buffer.from('PK\x01\x02'),
    madeOnUnix,
    fields,
    nameLength,
    attributes,
    Buffer.from(name),
  ]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, central, Buffer.from('PK\x05\x06'), end]);
}
