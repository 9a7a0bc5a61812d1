import type { ProjectEntry, RepositoryConfig } from '../core/repository-config.ts';
import type { ConfigProblem } from '../core/reply.ts';
import { suggest } from '../lib/suggestion.ts';

/** What no single entry can be blamed for: names, places that are taken twice, dependencies. */
export function checkEntries(config: RepositoryConfig): readonly ConfigProblem[] {
  return [...checkNames(config), ...checkPlaces(config), ...checkDependencies(config)];
}

function problem(config: RepositoryConfig, entry: ProjectEntry, message: string, suggestion?: string): ConfigProblem {
  return { file: config.file, line: entry.line, message, suggestion };
}

function checkNames(config: RepositoryConfig): readonly ConfigProblem[] {
  const named = config.projects.filter((entry) => entry.name !== undefined);
  return [...Map.groupBy(named, (entry) => entry.name).values()].flatMap(([, ...others]) =>
    others.map((entry) =>
      problem(config, entry, `found two or more projects with name "${entry.name}"; project names must be unique`),
    ),
  );
}

function checkPlaces(config: RepositoryConfig): readonly ConfigProblem[] {
  const places = Map.groupBy(config.projects, (entry) => JSON.stringify([entry.dir, entry.workspace]));
  return [...places.values()].flatMap((entries) => {
    const unnamed = entries.find((entry) => entry.name === undefined);
    if (entries.length < 2 || unnamed === undefined) return [];
    const place = `dir: "${unnamed.dir}" workspace: "${unnamed.workspace}"`;
    return [
      problem(
        config,
        unnamed,
        `there are two or more projects with ${place} that are not all named; they must have a 'name' key so they can be targeted for apply's separately`,
      ),
    ];
  });
}

function checkDependencies(config: RepositoryConfig): readonly ConfigProblem[] {
  const byName = new Map(
    config.projects.flatMap((entry) => (entry.name === undefined ? [] : [[entry.name, entry] as const])),
  );
  const problems = config.projects.flatMap((entry) =>
    entry.dependsOn.flatMap((name) => {
      const needed = byName.get(name);
      if (needed === undefined) {
        const meant = suggest(name, [...byName.keys()]);
        return [problem(config, entry, `depends_on: there is no project with name "${name}"`, meant)];
      }
      if (needed.executionOrderGroup <= entry.executionOrderGroup) return [];
      return [
        problem(
          config,
          entry,
          `depends_on: "${name}" is in a later execution_order_group (${needed.executionOrderGroup}) than this project (${entry.executionOrderGroup})`,
        ),
      ];
    }),
  );
  const cycle = findCycle(byName);
  const [first] = cycle;
  const start = first === undefined ? undefined : byName.get(first);
  return start === undefined
    ? problems
    : [...problems, problem(config, start, `depends_on: these projects wait for each other: ${cycle.join(' -> ')}`)];
}

/** The names of one cycle with its first at both ends; empty when there is none. */
function findCycle(byName: ReadonlyMap<string, ProjectEntry>): readonly string[] {
  const open = new Map(
    [...byName].map(([name, entry]) => [name, entry.dependsOn.filter((needed) => byName.has(needed))]),
  );
  for (let removed = true; removed; ) {
    const free = [...open].filter(([, needs]) => !needs.some((needed) => open.has(needed)));
    for (const [name] of free) open.delete(name);
    removed = free.length > 0;
  }
  const [start] = open.keys();
  const path: string[] = [];
  for (let at = start; at !== undefined; at = open.get(at)?.find((needed) => open.has(needed))) {
    if (path.includes(at)) return [...path.slice(path.indexOf(at)), at];
    path.push(at);
  }
  return path;
}
