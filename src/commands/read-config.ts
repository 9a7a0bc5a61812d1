import { readFileSync } from 'node:fs';
import { loadServerConfig } from '../config/load-server-config.ts';
import type { ServerConfig } from '../config/server-config.ts';
import type { ConfigProblem } from '../core/reply.ts';

/** Reads the server's config, or tells every problem of it at once and ends the program. */
export function readConfig(purpose: 'serve' | 'look'): ServerConfig {
  const loaded = loadServerConfig(process.env, {
    readFile: (path) => readFileSync(path, 'utf8'),
    workingDirectory: process.cwd(),
    superuser: isSuperuser(),
    purpose,
  });
  for (const warning of loaded.warnings) process.stderr.write(`holdfast: warning: ${problemLine(warning)}\n`);
  if ('config' in loaded) return loaded.config;
  process.stderr.write('holdfast: the config has problems:\n');
  for (const problem of loaded.problems) process.stderr.write(`  ${problemLine(problem)}\n`);
  process.exit(1);
}

export function isSuperuser(): boolean {
  return process.getuid?.() === 0;
}

export function problemLine({ file, line, message, suggestion }: ConfigProblem): string {
  const place = file === 'environment' ? '' : `${file}${line === undefined ? '' : `:${line}`}: `;
  return `${place}${message}${suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`}`;
}
