import { directoryCloud } from '../fakecloud/cloud.ts';
import type { Issue } from '../servers/github/state/model.ts';
import type { Demo } from './start-demo.ts';
import { BOT, indent, saidBy, waitFor } from './telling.ts';

const OBJECT = 'shop-0';

/** Somebody clicks in the console; it is found, told, and put right by a comment. */
export async function playDrift(demo: Demo, say: (text: string) => void): Promise<void> {
  const { github, cloudDirectory } = demo;
  const cloud = directoryCloud(cloudDirectory);
  const before = await cloud.get(OBJECT);
  if (before === null) throw new Error(`there is no object ${OBJECT}`);

  say(`\n6. Somebody clicks in the console of the cloud: ${OBJECT} runs another image now.`);
  await cloud.put({ ...before, content: 'image = shop:0.9.0-debug', version: before.version + 1 });

  say('\n7. Checks come by themselves every few hours; an operator has one made at once, with `holdfast drift run`.');
  say(indent(await demo.command('drift', 'run', 'acme/infrastructure', 'app')));
  const issue = await waitFor(demo, 'the drift report', () => findReport(demo));
  say(`   Holdfast opened an issue:\n\n${indent(`${issue.title}\n\n${issue.body ?? ''}`)}`);

  say('\n8. bob comments `holdfast apply` on it.');
  github.comment(issue, 'bob', 'holdfast apply');
  await waitFor(demo, 'the end of the drift', () => (issue.state === 'closed' ? true : undefined));
  await github.settled();
  for (const body of saidBy(demo, issue)) say(indent(body));
  const now = await cloud.get(OBJECT);
  if (now?.content !== before.content) throw new Error(`${OBJECT} still is ${JSON.stringify(now)}`);
  say(`   ${OBJECT} is what the code says again, and the issue is closed:\n\n${indent(JSON.stringify(now))}`);
}

function findReport({ repository }: Demo): Issue | undefined {
  return [...repository.issues.values()].find(
    (issue) => issue.pull === undefined && issue.author.login === BOT && issue.state === 'open',
  );
}
