import { parseArgs } from 'node:util';
import { playStory } from './story.ts';
import { startDemo } from './start-demo.ts';

/** `npm run demo`: the whole story on this machine. With `--once` it is played through and the program exits. */
const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const stopped = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
  if (process.channel) {
    process.on('disconnect', () => resolve());
    process.channel.unref();
  }
});

async function run(): Promise<void> {
  await using demo = await startDemo(say);
  await playStory(demo, say);
  if (values.once) return;
  say(
    `\nIt keeps running. Open:\n  the pull request  ${demo.pullRequestUrl()}\n  the drift report  ${demo.issueUrl()}\n  Holdfast's pages  ${demo.pagesUrl}\nCtrl-C ends it.`,
  );
  await stopped;
}

try {
  await Promise.race([run(), stopped.then(() => undefined)]);
  process.exitCode = 0;
} catch (error) {
  process.stderr.write(`the demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
