import { DRIFT_COMMANDS, DRIFT_FLAGS, type DriftCommandName } from '../../core/drift/drift-command.ts';
import { type DetailLevel, firstOf, mostDetailed } from '../detail-level.ts';
import { replyMarker } from '../reply-comment.ts';
import { settledOf } from '../settled.ts';
import { fillTidy } from '../templates.ts';
import type { DriftReplyView } from './drift-view.ts';

/** Those that read like the answers on a pull request. */
const SHARED: readonly DriftReplyView['kind'][] = ['refused', 'nothing_done'];

/** The answer to a command on a drift report, or a notice, as a new comment of at most `limit` UTF-16 units (2,000 or more). */
export function renderDriftReply(
  view: DriftReplyView,
  options: { readonly limit: number; readonly id: string },
): string {
  const template = SHARED.includes(view.kind) ? `replies/${view.kind}` : `drift/replies/${view.kind}`;
  const marker = replyMarker(options.id);
  return mostDetailed(options.limit, (level) =>
    `${marker}\n${fillTidy(template, { ...modelOf(view, level), ...level })}`.trimEnd(),
  );
}

function modelOf(view: DriftReplyView, level: DetailLevel): object {
  switch (view.kind) {
    case 'help':
      return { help: helpOf(view.command, view.triggers[0]) };
    case 'unreadable':
      return {
        ...view,
        help: view.usage === undefined ? [] : helpOf(view.usage, view.triggers[0]),
        helpCommand: `${view.triggers[0]} ${DRIFT_COMMANDS.help.typed}`,
      };
    case 'refused':
      return {
        ...view,
        unmet: firstOf(view.unmet, level.items),
        settled: settledOf({ applied: [], unchanged: [] }, level),
      };
    case 'nothing_done':
      return view;
    case 'done':
      return { command: view.command, said: view.sentence };
    case 'notice':
      return { said: view.sentence };
  }
}

/** Of one command with its flags, or of all without: eight with all of theirs would be read by nobody. */
function helpOf(command: DriftCommandName | undefined, trigger: string): readonly object[] {
  const names = command === undefined ? (Object.keys(DRIFT_COMMANDS) as DriftCommandName[]) : [command];
  return names.map((name) => {
    const { typed, words, purpose, flags } = DRIFT_COMMANDS[name];
    const told = command === undefined ? [] : flags.filter((flag) => flag !== 'help');
    return {
      usage: [trigger, typed, words].filter((part) => part !== '').join(' '),
      purpose,
      flags: told.map((flag) => ({ flag: `--${flag} VALUE`, help: DRIFT_FLAGS[flag].help })),
    };
  });
}
