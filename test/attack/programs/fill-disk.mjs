// 300 MB in files of 10 MB, then removed again. Arguments: a name for the files, and the folder.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [, , name, folder] = process.argv;
const content = Buffer.alloc(10 * 1024 * 1024, 1);
const files = Array.from({ length: 30 }, (_, index) => join(folder, `${name}-${index}`));
console.log('TRIED');
try {
  for (const file of files) {
    writeFileSync(file, content);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  console.log('BREACH');
} catch (error) {
  console.log(`held ${error.code}`);
} finally {
  for (const file of files) rmSync(file, { force: true });
}
