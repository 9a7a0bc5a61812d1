import type { ConfigProblem } from '../core/reply.ts';
import { cleanForeignKeys } from './foreign-keys.ts';
import { byLine, checkData } from './schema-problems.ts';
import type { ServerConfig } from './server-config.ts';
import { CONFIG_VARIABLE, overlayEnvironment, type Environment } from './server-environment.ts';
import { SERVER_FOREIGN_KEYS } from './server-rules-schema.ts';
import { serverConfig } from './server-schema.ts';
import { toServerConfig } from './to-server-config.ts';
import { readYaml, type YamlFile } from './yaml-file.ts';

export interface LoadOptions {
  /** Reads a text file; throws when it cannot. */
  readonly readFile: (path: string) => string;
  readonly workingDirectory: string;
  /** Whether the program runs as root, whose home is closed to the users of sandboxes. */
  readonly superuser?: boolean;
  /** `serve`: what is needed to serve repositories must be there; `look`: it may be missing. */
  readonly purpose: 'serve' | 'look';
}

export type LoadedServerConfig =
  | { readonly config: ServerConfig; readonly warnings: readonly ConfigProblem[] }
  | { readonly problems: readonly ConfigProblem[]; readonly warnings: readonly ConfigProblem[] };

const MAX_BYTES = 4 * 1024 * 1024;
const NO_FILE: YamlFile = { file: 'environment', data: undefined, lineOf: () => undefined, lineOfKey: () => undefined };

/** Puts the server's config together from its file and the environment, which wins. Every problem is told at once. */
export function loadServerConfig(environment: Environment, options: LoadOptions): LoadedServerConfig {
  const path = environment[CONFIG_VARIABLE];
  if (!path) return checkServerConfig(NO_FILE, environment, options);
  let text: string;
  try {
    text = options.readFile(path);
  } catch (error) {
    const message = `${CONFIG_VARIABLE}: ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    return { problems: [{ file: 'environment', line: undefined, message, suggestion: undefined }], warnings: [] };
  }
  return readServerConfig(text, path, environment, options);
}

/** The same from a file's text that is at hand. */
export function readServerConfig(
  text: string,
  file: string,
  environment: Environment,
  options: LoadOptions,
): LoadedServerConfig {
  const yaml = readYaml(text, file, MAX_BYTES);
  if ('problems' in yaml) return { problems: yaml.problems, warnings: [] };
  // Comments alone are an operator's "no settings". Nothing at all is a file that was cut off or mounted wrongly, and with it would go its rules.
  if (text.trim() !== '') return checkServerConfig(yaml, environment, options);
  const message = 'the file is empty; if that is meant, write a comment into it or leave the file away';
  return { problems: [{ file, line: 1, message, suggestion: undefined }], warnings: [] };
}

function checkServerConfig(yaml: YamlFile, environment: Environment, options: LoadOptions): LoadedServerConfig {
  const cleaned = cleanForeignKeys(yaml, SERVER_FOREIGN_KEYS);
  const overlaid = overlayEnvironment(cleaned.data, environment);
  const checked = checkData(serverConfig, { ...yaml, variableOf: overlaid.variableOf }, overlaid.data);
  const result = 'value' in checked ? toServerConfig(checked.value, environment, options, yaml) : checked;
  const own = 'problems' in result ? result.problems : [];
  const problems = [...cleaned.problems, ...overlaid.problems, ...own].sort(byLine);
  const { warnings } = cleaned;
  return 'config' in result && problems.length === 0 ? { config: result.config, warnings } : { problems, warnings };
}
