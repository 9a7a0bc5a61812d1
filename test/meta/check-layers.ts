import { dirname, join, normalize } from 'node:path';
import { LAYERS, type Layer, RESERVED } from './layers.ts';

/** Static imports and re-exports at the start of a line, and dynamic imports of a literal. */
const IMPORT = /(?:^(?:import|export)\b(?:[^;'"]*?\bfrom)?\s*|\bimport\(\s*)['"]([^'"]+)['"]/gm;

/** What is wrong with these sources, one sentence each. `sources`: path from the repository's top to text. */
export function checkLayers(sources: ReadonlyMap<string, string>): readonly string[] {
  return [...sources].flatMap(([path, text]) => [...checkImports(path, text), ...checkReserved(path, text)]);
}

function checkImports(path: string, text: string): readonly string[] {
  const targets = [...stripComments(text).matchAll(IMPORT)].map(([, target = '']) => target);
  if (/^test\/(?:servers|scenarios|demo|fakecloud)\//.test(path)) {
    return targets
      .filter((target) => leadsTo(path, target, /^(?:src|workers)\//))
      .map((target) => `${path} imports ${target}: test servers and scenarios never see the program`);
  }
  if (path.startsWith('test/')) return [];
  const layer = LAYERS.find((one) => one.files.test(path));
  if (layer === undefined) return [`${path} belongs to no layer`];
  return targets.flatMap((target) => checkImport(path, layer, target));
}

function checkImport(path: string, layer: Layer, target: string): readonly string[] {
  if (!target.startsWith('.')) {
    const known = layer.packages === undefined || layer.packages.some((allowed) => allowed.test(target));
    return known ? [] : [`${path} imports the package ${target}, which ${layer.name} may not`];
  }
  const resolved = resolve(path, target);
  if (resolved.startsWith('test/')) return [`${path} imports ${resolved}: nothing outside test imports test`];
  if (resolved.endsWith('.json')) return [];
  if (layer.name === 'adapters' && resolved.startsWith('src/adapters/')) {
    return adapterOf(path) === adapterOf(resolved)
      ? []
      : [`${path} imports ${resolved}: an adapter never imports another`];
  }
  const allowed = layer.files.test(resolved) || layer.may.some((folder) => folder.test(resolved));
  return allowed ? [] : [`${path} imports ${resolved}, which ${layer.name} may not`];
}

function checkReserved(path: string, text: string): readonly string[] {
  if (path.startsWith('test/')) return [];
  const code = stripComments(text);
  return RESERVED.filter(({ pattern, onlyIn }) => pattern.test(code) && !onlyIn.test(path)).map(
    ({ what }) => `${path} uses ${what}`,
  );
}

function stripComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
}

function leadsTo(path: string, target: string, folder: RegExp): boolean {
  return target.startsWith('.') && folder.test(resolve(path, target));
}

function resolve(path: string, target: string): string {
  return normalize(join(dirname(path), target));
}

function adapterOf(path: string): string {
  return path.split('/')[2] ?? '';
}
