const HERE = 'http://here.invalid';

/**
 * Where a login leads to: a path on this server, or `/runs` for anything else. Read by the same rules as a browser's, which
 * drops tabs and line breaks, takes `\` for `/` and resolves dots: `/\evil.example` and `/.//evil.example` lead elsewhere.
 */
export function localPath(next: unknown): string {
  if (typeof next !== 'string' || !next.startsWith('/')) return '/runs';
  const url = URL.parse(next, HERE);
  if (url === null || url.origin !== HERE || url.pathname.startsWith('//')) return '/runs';
  return `${url.pathname}${url.search}`;
}
