import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { playDrift } from './drift-story.ts';
import type { Demo } from './start-demo.ts';
import { indent, saidBy, waitFor } from './telling.ts';

/** From a pull request to a live object, and on to what somebody does to that. Throws with the reason when a chapter does not come true. */
export async function playStory(demo: Demo, say: (text: string) => void): Promise<void> {
  const { github, repository, files, cloudDirectory } = demo;
  say('\n1. ann opens a pull request: the shop gets a third replica.');
  const file = 'app/main.tf';
  const pull = await github.openPullRequest(repository, {
    author: 'ann',
    title: 'A third replica for the shop',
    branch: 'third-replica',
    files: { [file]: (files[file] ?? '').replace('replicas = 2', 'replicas = 3') },
  });
  const plan = await waitFor(demo, 'the plan comment', () =>
    saidBy(demo, pull).find((body) => body.startsWith('<!-- holdfast:plan:') && body.includes('```diff')),
  );
  say('   Holdfast planned it and commented:\n');
  say(indent(plan));

  say('\n2. bob reviews and approves.');
  github.review(pull, 'bob', 'APPROVED', 'Looks good.');

  say('\n3. ann comments `holdfast apply`.');
  github.comment(pull, 'ann', 'holdfast apply');
  const applied = await waitFor(demo, 'the apply', () =>
    saidBy(demo, pull).find((body) => body.startsWith('<!-- holdfast:reply:')),
  );
  say(indent(applied));

  say('\n4. The live objects:');
  for (const name of (await readdir(cloudDirectory)).filter((entry) => entry.endsWith('.json'))) {
    say(indent(`${name}: ${await readFile(join(cloudDirectory, name), 'utf8')}`));
  }

  say('\n5. ann merges.');
  const merged = await github.merge(pull, 'ann');
  await waitFor(demo, 'the reading of the branch', () => isRead(demo, merged) || undefined);
  say('   Merged; the project locks are given back.');

  await playDrift(demo, say);
  github.assertClean();
}

/** A check that was asked for before that would look at the commit before. */
function isRead({ holdfast }: Demo, sha: string): boolean {
  return holdfast
    .log()
    .split('\n')
    .some((line) => line.includes('"tracked branch read"') && line.includes(sha));
}
