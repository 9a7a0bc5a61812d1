import { isAlias, isMap, isPair, isScalar, LineCounter, parseDocument, visit, type Document, type Node } from 'yaml';
import type { ConfigProblem } from '../core/reply.ts';

export type Path = readonly (string | number)[];

/** A YAML file as plain data, with the way back from a place in the data to a line. */
export interface YamlFile {
  readonly file: string;
  readonly data: unknown;
  /** The line of a value, or of the nearest thing around it. */
  lineOf(path: Path): number | undefined;
  /** The line on which a key is written. */
  lineOfKey(path: Path, key: string): number | undefined;
}

const MAX_ALIASES = 100;
const MAX_DEPTH = 40;

/** Reads YAML that anyone may have written. Numbers keep the way they were written where that matters (`1.10`). */
export function readYaml(
  text: string,
  file: string,
  maxBytes: number,
): YamlFile | { readonly problems: readonly ConfigProblem[] } {
  const refuse = (message: string, line?: number) => ({ problems: [{ file, line, message, suggestion: undefined }] });
  if (Buffer.byteLength(text) > maxBytes) return refuse(`the file is larger than ${maxBytes / 1024} KiB`);
  if (isTooDeep(text)) return refuse(`the file is nested more than ${MAX_DEPTH} levels deep`);
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false, logLevel: 'error' });
    if (document.errors.length > 0) {
      return {
        problems: document.errors.map((error) => toProblem(file, error.message, lines.linePos(error.pos[0]).line)),
      };
    }
    keepWrittenNumbers(document);
    return { file, data: document.toJS({ maxAliasCount: MAX_ALIASES }) ?? undefined, ...finders(document, lines) };
  } catch (error) {
    return refuse(`the file could not be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Before anything recursive sees the text: brackets of flow style one by one, block style by its indentation. */
function isTooDeep(text: string): boolean {
  let open = 0;
  for (const char of text) {
    if (char === '[' || char === '{') open += 1;
    else if (char === ']' || char === '}') open = Math.max(0, open - 1);
    if (open > MAX_DEPTH) return true;
  }
  return text.split('\n').some((line) => (/^[ ]*(?:[-?] +)*/.exec(line)?.[0].length ?? 0) > MAX_DEPTH * 8);
}

function toProblem(file: string, message: string, line: number): ConfigProblem {
  return { file, line, message: `not valid YAML: ${message}`, suggestion: undefined };
}

/** `terraform_version: 1.10` is no number to the one who wrote it. */
function keepWrittenNumbers(document: Document): void {
  visit(document, {
    Scalar(_key, node) {
      const odd = typeof node.value === 'number' || typeof node.value === 'boolean';
      if (odd && node.source !== undefined && node.source !== String(node.value)) node.value = node.source;
    },
  });
}

function finders(document: Document, lines: LineCounter): Pick<YamlFile, 'lineOf' | 'lineOfKey'> {
  const lineAt = (node: unknown) => {
    const start = (node as Node | undefined)?.range?.[0];
    return start === undefined ? undefined : lines.linePos(start).line;
  };
  const nodeAt = (path: Path): unknown => {
    let node: unknown = document.contents;
    for (const step of path) {
      const inner = isAlias(node) ? node.resolve(document) : node;
      const next: unknown =
        inner && typeof inner === 'object' && 'get' in inner ? (inner as Document).get(step, true) : undefined;
      if (next === undefined) break;
      node = next;
    }
    return node;
  };
  return {
    lineOf: (path) => lineAt(nodeAt(path)) ?? 1,
    lineOfKey: (path, key) => {
      const map = nodeAt(path);
      const pair = isMap(map)
        ? map.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key)
        : undefined;
      return lineAt(pair?.key) ?? lineAt(map) ?? 1;
    },
  };
}
