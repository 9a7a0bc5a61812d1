import { describe, expect, test } from 'vitest';
import { mirrorFolder } from '../../../../src/adapters/git/mirror-folder.ts';

const folderOf = (host: string, id: string) => mirrorFolder('/data', { host, id, owner: 'o', name: 'n' }).gitDir;

describe('where a mirror lies', () => {
  test('by host and id, so that a rename of the repository changes nothing', () => {
    expect(folderOf('GitHub.com', '12')).toBe('/data/github.com/12.git');
  });

  test.each([
    ['..', '1'],
    ['.', '1'],
    ['a/../../etc', '1'],
    ['github.com', '../../x'],
    ['github.com', '..'],
    ['a\0b', '1'],
    ['a b*', '1'],
  ])('nothing in %j and %j leads elsewhere', (host, id) => {
    expect(folderOf(host, id)).toMatch(/^\/data\/(?!\.)[\w.%!'()~-]+\/(?!\.)[\w.%!'()~-]+\.git$/);
  });

  test('different names have different folders', () => {
    const folders = [folderOf('a/b', '1'), folderOf('a%2Fb', '1'), folderOf('a', 'b/1'), folderOf('a', 'b%2F1')];
    expect(new Set(folders).size).toBe(4);
  });

  test.each(['', 'x'.repeat(300)])('refuses what is no name', (id) => {
    expect(() => folderOf('github.com', id)).toThrow(/not a host name or repository id/);
  });
});
