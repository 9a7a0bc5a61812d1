import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generateAll } from './generate.ts';

/** Run by hand after a change of a schema: `node src/config/write-generated.ts`. */
const top = join(import.meta.dirname, '../..');
for (const [path, content] of generateAll()) {
  mkdirSync(dirname(join(top, path)), { recursive: true });
  writeFileSync(join(top, path), content);
}
