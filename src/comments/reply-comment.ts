import { COMMAND_FLAGS, FLAGS } from '../core/command-flags.ts';
import type { CommandName } from '../core/reply.ts';
import { type DetailLevel, firstOf, mostDetailed } from './detail-level.ts';
import { hiddenMarker } from './hidden-marker.ts';
import { settledOf } from './settled.ts';
import { fillTidy } from './templates.ts';
import type { CommandReplyView } from './view.ts';

export { renderApplyReply } from './apply-reply.ts';

/** What every reply starts with, for finding it after a crash. */
export function replyMarker(id: string): string {
  return hiddenMarker('reply', id);
}

/** The answer to a command, or a notice, as a new comment of at most `limit` UTF-16 units (2,000 or more). */
export function renderCommandReply(
  view: CommandReplyView,
  options: { readonly limit: number; readonly id: string },
): string {
  const marker = replyMarker(options.id);
  return mostDetailed(options.limit, (level) =>
    `${marker}\n${fillTidy(`replies/${view.kind}`, modelOf(view, level))}`.trimEnd(),
  );
}

const NOTHING_SETTLED = { applied: [], unchanged: [] };

function modelOf(view: CommandReplyView, level: DetailLevel): object {
  const told = view.kind === 'nothing_done' ? { ...view, reason: asSentence(view.reason) } : view;
  const fields = Object.entries(told).map(([name, value]) => [
    name,
    Array.isArray(value) ? firstOf(value, level.items) : value,
  ]);
  const settled = settledOf((view.kind === 'refused' ? view.settled : undefined) ?? NOTHING_SETTLED, level);
  return { ...Object.fromEntries(fields), ...level, trigger: view.triggers[0], help: helpOf(view), settled };
}

function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

const PURPOSES: Readonly<Record<CommandName, string>> = {
  plan: 'plan the changed projects, or those named',
  apply: 'apply every plan of this pull request, or those named',
  unlock: 'give up all plans and locks of this pull request',
  cancel: 'stop what is queued or running',
  version: 'show the Terraform version of each project',
  help: 'show this',
};

/** Commands that are told of, each with its flags; only where somebody asked for help or made a mistake. */
function helpOf(view: CommandReplyView): readonly object[] {
  if (view.kind === 'unreadable') return view.usage === undefined ? [] : [commandHelp(view.usage)];
  if (view.kind !== 'help') return [];
  return view.command === undefined ? view.allowed.map(commandHelp) : [commandHelp(view.command)];
}

function commandHelp(name: CommandName): object {
  const flags = COMMAND_FLAGS[name].filter((flag) => flag !== 'help');
  return {
    name,
    purpose: PURPOSES[name],
    flags: flags.map((flag) => ({
      name: flag,
      short: FLAGS[flag].short,
      value: FLAGS[flag].type === 'string',
      help: FLAGS[flag].help,
    })),
    passesArguments: name === 'plan',
  };
}
