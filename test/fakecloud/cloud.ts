import { mkdirSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The live object behind a resource; what else it has depends on its type. Editing it by hand is drift. */
export interface CloudObject extends Readonly<Record<string, unknown>> {
  readonly name: string;
  readonly content?: string | null;
  readonly tags?: Readonly<Record<string, string>> | null;
  readonly version: number;
}

export interface Cloud {
  get(name: string): Promise<CloudObject | null>;
  put(object: CloudObject): Promise<void>;
  remove(name: string): Promise<void>;
}

/** One JSON file per object. Files are replaced, never rewritten, so that several users may share a directory open to all. */
export function directoryCloud(directory: string): Cloud {
  mkdirSync(directory, { recursive: true });
  const file = (name: string) => join(directory, `${encodeURIComponent(name)}.json`);
  return {
    async get(name) {
      try {
        return JSON.parse(await readFile(file(name), 'utf8')) as CloudObject;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
    },
    async put(object) {
      const temporary = `${file(object.name)}.${process.pid}.tmp`;
      await writeFile(temporary, `${JSON.stringify(object, null, 2)}\n`);
      await rename(temporary, file(object.name));
    },
    async remove(name) {
      await rm(file(name), { force: true });
    },
  };
}

/** `GET`, `PUT` and `DELETE` of `{endpoint}/objects/{name}`. */
export function httpCloud(endpoint: string, token: string | undefined): Cloud {
  const request = async (method: string, name: string, body?: CloudObject): Promise<unknown> => {
    const answer = await fetch(`${endpoint}/objects/${encodeURIComponent(name)}`, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (answer.status === 404) return null;
    if (!answer.ok) throw new Error(`${method} ${name}: HTTP ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? null : answer.json();
  };
  return {
    get: (name) => request('GET', name) as Promise<CloudObject | null>,
    put: async (object) => void (await request('PUT', object.name, object)),
    remove: async (name) => void (await request('DELETE', name)),
  };
}
