import { z } from 'zod';

/** A key that can come from the environment as well; a list is then separated by commas. */
interface Meta {
  readonly description: string;
  readonly env?: string;
  readonly secret?: true;
}

/** One key of the server with its meaning, and its variable without `HOLDFAST_`. */
export function key<T extends z.ZodType>(schema: T, description: string, env?: string): T {
  const meta: Meta = env === undefined ? { description } : { description, env: `HOLDFAST_${env}` };
  return schema.meta({ ...meta });
}

/** A group of keys that is there even when nothing of it is written. */
export function group<T extends z.ZodRawShape>(shape: T, description: string) {
  return z.prefault(z.strictObject(shape), {} as never).meta({ description });
}
