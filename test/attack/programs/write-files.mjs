// Changes files that are not the pull request's, in every way there is. Arguments: their paths.
import { appendFileSync, chmodSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';

const ways = {
  chmod: (path) => chmodSync(path, 0o666),
  append: (path) => appendFileSync(path, 'poison'),
  replace: (path) => {
    writeFileSync(`${path}.new`, 'poison');
    renameSync(`${path}.new`, path);
  },
  remove: (path) => {
    unlinkSync(path);
    writeFileSync(path, 'poison');
  },
};
for (const path of process.argv.slice(2)) {
  for (const [way, change] of Object.entries(ways)) {
    try {
      change(path);
      console.log(`BREACH ${way} ${path}`);
    } catch (error) {
      console.log(`held ${way} ${path}: ${error.code}`);
    }
  }
}
console.log('TRIED');
