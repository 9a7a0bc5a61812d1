import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { guessKind, validateFile } from '../config/validate-file.ts';

const NAMES = ['holdfast.yaml', 'atlantis.yaml'];

/** Checks one config file, or the one that the folder of a repository has, and exits with 1 when it has problems. */
export function validate(path: string): void {
  const file = findFile(path);
  if (file === undefined) {
    process.stderr.write(`holdfast: there is no ${NAMES.join(' and no ')} in ${path}; projects would be discovered.\n`);
    process.exit(1);
  }
  const validation = validateFile(readFileSync(file, 'utf8'), file, guessKind(file), {
    environment: process.env,
    readFile: (name) => readFileSync(name, 'utf8'),
    workingDirectory: process.cwd(),
    purpose: 'look',
  });
  for (const line of validation.lines) process.stdout.write(`${line}\n`);
  process.exitCode = validation.valid ? 0 : 1;
}

function findFile(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    process.stderr.write(`holdfast: ${path} does not exist.\n`);
    process.exit(1);
  }
  if (!found.isDirectory()) return path;
  return NAMES.map((name) => join(path, name)).find((name) => statSync(name, { throwIfNoEntry: false })?.isFile());
}
