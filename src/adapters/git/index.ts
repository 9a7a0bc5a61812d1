export { createGitMirror, type GitMirrorOptions } from './create-git-mirror.ts';
export type { GitNetwork } from './git-environment.ts';
