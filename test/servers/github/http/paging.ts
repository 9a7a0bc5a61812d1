import { createHash } from 'node:crypto';

const DEFAULT_PAGE = 30;
const MAX_PAGE = 100;

export interface Page {
  readonly items: readonly unknown[];
  readonly link: string | undefined;
}

/** 30 an answer unless told, 100 at most whatever was told; `Link` names the neighbours. */
export function paginate(list: readonly unknown[], query: Readonly<Record<string, string>>, url: string): Page {
  const size = Math.min(MAX_PAGE, Math.max(1, Number(query['per_page'] ?? DEFAULT_PAGE) || DEFAULT_PAGE));
  const page = Math.max(1, Number(query['page'] ?? 1) || 1);
  const last = Math.max(1, Math.ceil(list.length / size));
  const address = (to: number) => {
    const target = new URL(url);
    target.searchParams.set('page', String(to));
    return target.href;
  };
  const links = [
    page > 1 ? `<${address(page - 1)}>; rel="prev"` : undefined,
    page < last ? `<${address(page + 1)}>; rel="next"` : undefined,
    page < last ? `<${address(last)}>; rel="last"` : undefined,
    page > 1 ? `<${address(1)}>; rel="first"` : undefined,
  ].filter((link) => link !== undefined);
  const items = list.slice((page - 1) * size, page * size);
  return { items, link: links.length === 0 ? undefined : links.join(', ') };
}

export function etagOf(body: string): string {
  return `W/"${createHash('sha256').update(body).digest('hex')}"`;
}

/** The quotes belong to the tag, and so does the W/ prefix; several may be offered. */
export function matchesEtag(offered: string | undefined, etag: string): boolean {
  if (offered === undefined) return false;
  const strong = (tag: string) => tag.trim().replace(/^W\//, '');
  return offered.split(',').some((tag) => strong(tag) === strong(etag));
}
