import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Connection, connectPostgres } from '../../src/adapters/postgres/connection.ts';
import { Secret } from '../../src/lib/secret.ts';
import { recordingLogger } from './recording-logger.ts';

/** A look into the database that Holdfast brought along, from outside: its server outlives every kill. */
export async function openEmbeddedDatabase(dataDirectory: string): Promise<Connection> {
  const files = await readdir(dataDirectory, { recursive: true });
  const find = (name: string): string => {
    const file = files.find((path) => path.endsWith(`/${name}`));
    if (file === undefined) throw new Error(`there is no ${name} under ${dataDirectory}`);
    return join(dataDirectory, file);
  };
  const password = (await readFile(find('holdfast-password'), 'utf8')).trim();
  // Line 2 is the cluster's folder, line 4 the port, line 5 the folder of the socket; https://www.postgresql.org/docs/current/storage-file-layout.html
  const [, cluster = '', , port = '', socket = ''] = (await readFile(find('postmaster.pid'), 'utf8')).split('\n');
  const folder = encodeURIComponent(resolve(cluster, socket));
  const url = `postgresql://holdfast:${password}@localhost/holdfast?host=${folder}&port=${port}`;
  return connectPostgres({ url: new Secret(url), logger: recordingLogger(), applicationName: 'holdfast-look' });
}
