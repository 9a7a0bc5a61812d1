import type { Repository } from '../state/model.ts';
import { fullName } from '../state/world.ts';

/** Where this server answers; known once it listens. */
export interface Urls {
  /** `http://127.0.0.1:PORT`: pages, git, and the REST API as on api.github.com. */
  html: string;
  api: string;
}

export function repositoryApi(urls: Urls, repository: Repository): string {
  return `${urls.api}/repos/${fullName(repository)}`;
}

export function repositoryHtml(urls: Urls, repository: Repository): string {
  return `${urls.html}/${fullName(repository)}`;
}

export function when(date: Date): string {
  return date.toISOString().replace(/\.\d{3}Z$/, 'Z');
}
