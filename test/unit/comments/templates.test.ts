import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const files = globSync('src/comments/**/*.hbs');
/** Through which hostile text may enter a template, and what only ever holds our own words, numbers or harmless text. */
const HELPERS = ['prose', 'code', 'cell', 'html', 'link', 'pull', 'counted', 'instant'];
const OWN_WORDS = new Set(
  `headline totals result.icon result.text result.bar changes replace time verb destroys.words destroys.more drift purpose line
   icon text name short help next cut.shown cut.total info stillPlanned.more interrupted.more stopping.more dropped.more
   projects.more unlocked.more unapplied.more kind words reason maxOpenIssues owners.more outlook`.split(/\s+/),
);
const RAW = new Set(['fence', 'text', 'command', 'marker', 'trigger', '../trigger']);

describe('templates', () => {
  test('are there', () => {
    expect(files.length).toBeGreaterThan(15);
  });

  test.each(files)('%s lets text in through an escaping helper only', (file) => {
    for (const [, raw, plain] of readFileSync(file, 'utf8').matchAll(/\{\{(?:\{([^}]*)\}\}\}|([^}]*)\}\})/g)) {
      const words = (raw ?? plain ?? '').trim().split(/\s+/);
      const first = words[0] ?? '';
      if (raw !== undefined) expect(RAW).toContain(first);
      else if (words.length > 1 && !/^[#/>]/.test(first)) expect(HELPERS).toContain(first);
      else if (!/^[#/>]|^else$/.test(first)) expect(OWN_WORDS).toContain(first);
    }
  });
});
