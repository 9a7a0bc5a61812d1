/**
 * Paths inside a repository: slashes, relative to its top, `.` for the top itself. Written here because `core` may not
 * depend on the machine's own path rules.
 */
export function parentDirectory(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : path.slice(0, slash);
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** `relative` as seen from `directory`, without `.` and `..` inside. A path that leaves the repository starts with `..`. */
export function joinPath(directory: string, relative: string): string {
  const kept: string[] = [];
  for (const part of `${directory}/${relative}`.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else kept.push(part);
  }
  return kept.length === 0 ? '.' : kept.join('/');
}

/** True for a path that `joinPath` found to be outside of the repository. */
export function leavesRepository(path: string): boolean {
  return path === '..' || path.startsWith('../');
}

/** True when `path` is the directory itself or anything below it. */
export function isWithin(path: string, directory: string): boolean {
  return directory === '.' || path === directory || path.startsWith(`${directory}/`);
}
