import { z } from 'zod';

/** A key that can come from the environment as well, as `HOLDFAST_` and `env`; a list is then separated by commas. */
export function key<T extends z.ZodType>(schema: T, description: string, env?: string): T {
  return schema.meta(env === undefined ? { description } : { description, env: `HOLDFAST_${env}` });
}

/** A group of keys that is there even when nothing of it is written. */
export function group<T extends z.ZodRawShape>(shape: T, description: string) {
  return z.prefault(z.strictObject(shape), {} as never).meta({ description });
}
