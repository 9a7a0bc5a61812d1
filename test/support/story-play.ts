import type { IssueComment, PullRequest } from '../servers/github/state/model.ts';
import type { StoryStage } from './story-stage.ts';

/** How a story ended, as far as it must not depend on whether somebody was killed in between. */
export interface StoryEnd {
  readonly object: string;
  readonly version: number;
  readonly planComments: number;
  readonly statuses: Readonly<Record<string, string>>;
  readonly merged: boolean;
}

export interface PlayedStory {
  readonly end: StoryEnd;
  /** What the person had to type. */
  readonly commands: readonly string[];
  /** An apply was said to be of unknown outcome. */
  readonly interrupted: boolean;
}

const MOST_COMMANDS = 8;

/** The main job as a patient person does it: reads what Holdfast says, and plans and applies again until it says that all is applied. */
export async function playKilledStory(stage: StoryStage, n: number): Promise<PlayedStory> {
  const commands: string[] = [];
  const pull = await stage.open(n);
  await until(stage, `the plan of story ${n}`, () => isFinal(stage.statuses(pull)['holdfast/plan']));
  let interrupted = false;
  while (stage.statuses(pull)['holdfast/apply'] !== 'success') {
    if (commands.length === MOST_COMMANDS) {
      throw new Error(
        `story ${n} does not end: ${commands.join(', ')}\n${stage.replies(pull).join('\n---\n')}\n${stage.log().slice(-6_000)}`,
      );
    }
    const command = next(stage, pull);
    commands.push(command);
    await say(stage, pull, n, command);
    interrupted ||= stage.statuses(pull)['holdfast/apply'] === 'error';
  }
  await stage.github.merge(pull, 'ann');
  const object = await stage.object(n);
  return {
    commands,
    interrupted,
    end: {
      object: object?.content ?? '',
      version: object?.version ?? 0,
      planComments: stage.plans(pull).length,
      statuses: Object.fromEntries(
        Object.entries(stage.statuses(pull)).map(([context, state]) => [context.replace(`p${n}`, 'project'), state]),
      ),
      merged: pull.merged !== undefined,
    },
  };
}

function next(stage: StoryStage, pull: PullRequest): string {
  const { 'holdfast/plan': plan, 'holdfast/apply': apply } = stage.statuses(pull);
  return plan === 'success' && apply !== 'error' && apply !== 'failure' ? 'holdfast apply' : 'holdfast plan';
}

/** A command has ended when its comment was given the last reaction and the statuses follow. */
async function say(stage: StoryStage, pull: PullRequest, n: number, command: string): Promise<void> {
  const comment = stage.github.comment(pull, 'ann', command);
  await until(stage, `the end of "${command}" in story ${n}`, () => hasEnded(comment));
}

function hasEnded(comment: IssueComment): boolean {
  return comment.reactions.some((reaction) => reaction.content === 'rocket' || reaction.content === 'confused');
}

function isFinal(state: string | undefined): boolean {
  return state !== undefined && state !== 'pending';
}

async function until(stage: StoryStage, what: string, find: () => boolean): Promise<void> {
  let looks = 0;
  await stage.wait(
    what,
    () => {
      looks += 1;
      if (looks % 50 === 0) stage.deliverMissed();
      return find() || undefined;
    },
    180_000,
  );
}
