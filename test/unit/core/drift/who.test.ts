import { expect, test } from 'vitest';
import { whoText } from '../../../../src/core/drift/who.ts';

test.each([
  ['ann', '@ann'],
  ['dependabot[bot]', '@dependabot[bot]'],
  ['group.name_1', '@group.name_1'],
  ['somebody on the pages', 'somebody on the pages'],
  ['root at the command line', 'root at the command line'],
  ['', ''],
])('%j is written %j', (login, text) => {
  expect(whoText(login)).toBe(text);
});
