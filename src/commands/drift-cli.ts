import { Command, InvalidArgumentError } from 'commander';
import { readEnd, type WrittenEnd } from '../core/drift/drift-command.ts';
import type { RecordedCommand } from '../core/drift/decide-command.ts';
import type { DriftPlace } from './drift.ts';

interface PlaceOptions {
  readonly workspace?: string;
  readonly project?: string;
  readonly json?: boolean;
}

interface RuleOptions extends PlaceOptions {
  readonly reason?: string;
  readonly for?: string;
  readonly until?: string;
  readonly attribute?: string;
  readonly owner?: string;
}

/** `holdfast drift ...`: what people do about drift, from a terminal of the machine that Holdfast runs on. */
export function driftCommands(): Command {
  const drift = new Command('drift').description('look at the drift of projects, and say what is to be done about it');
  drift
    .command('status')
    .description('where projects stand; ends with 2 when there is drift, with 1 when that is not known of all')
    .argument('[repository]', 'owner/name, or host/owner/name')
    .argument('[dir]', 'directory of the project')
    .option('-w, --workspace <name>', 'workspace')
    .option('-p, --project <name>', 'name of the project')
    .option('--json', 'as JSON')
    .action(async (repository: string | undefined, dir: string | undefined, options: PlaceOptions) =>
      (await import('./drift.ts')).driftStatus(placeOf(repository, dir, options), { json: options.json === true }),
    );
  add(drift, 'run', 'check the project now', [], () => ({ name: 'run' }));
  add(drift, 'suspend', 'do not check the project until it is resumed', ['reason!', 'for', 'until'], (options) => ({
    name: 'suspend',
    reason: options.reason ?? '',
    end: endOf(options),
  }));
  add(drift, 'resume', 'check the project again', [], () => ({ name: 'resume' }));
  add(drift, 'ack', 'live with the present drift: it is not reported until it is another', ['reason'], (options) => ({
    name: 'ack',
    reason: options.reason,
  }));
  add(drift, 'snooze', 'do not report the present drift for a while', ['reason', 'for', 'until'], (options) => ({
    name: 'snooze',
    reason: options.reason,
    end: requiredEnd(options),
  }));
  add(
    drift,
    'ignore',
    'do not count differences of these attributes as drift, for a time',
    ['reason!', 'for', 'until', 'attribute', 'owner'],
    (options, address) => ({
      name: 'ignore',
      address: address ?? '',
      attribute: options.attribute ?? '*',
      reason: options.reason ?? '',
      owner: options.owner,
      end: requiredEnd(options),
    }),
  );
  return drift;
}

type RuleFlag = 'reason' | 'reason!' | 'for' | 'until' | 'attribute' | 'owner';

function add(
  drift: Command,
  name: RecordedCommand['name'],
  description: string,
  flags: readonly RuleFlag[],
  toCommand: (options: RuleOptions, address: string | undefined) => RecordedCommand,
): void {
  const command = drift
    .command(name)
    .description(description)
    .argument('<repository>', 'owner/name, or host/owner/name')
    .argument(name === 'ignore' ? '<dir>' : '[dir]', 'directory of the project');
  if (name === 'ignore') command.argument('<address>', 'address of resources; `*` is any run of characters');
  command.option('-w, --workspace <name>', 'workspace').option('-p, --project <name>', 'name of the project');
  if (flags.includes('reason!')) command.requiredOption('--reason <text>', 'why, for those who come after');
  if (flags.includes('reason')) command.option('--reason <text>', 'why, for those who come after');
  if (flags.includes('for')) command.option('--for <duration>', 'how long, such as 30m, 12h or 7d');
  if (flags.includes('until')) command.option('--until <time>', 'the last day, such as 2026-12-31, or a time');
  if (flags.includes('attribute')) command.option('--attribute <glob>', 'attributes; all when left out');
  if (flags.includes('owner')) command.option('--owner <name>', 'who to ask about it; you when left out');
  command.option('--json', 'as JSON').action(async (...given: unknown[]) => {
    const [repository, dir, address] = given.map((word) => (typeof word === 'string' ? word : undefined));
    const options = command.opts<RuleOptions>();
    const asked = read(command, () => toCommand(options, address));
    const { driftCommand } = await import('./drift.ts');
    await driftCommand(placeOf(repository, dir, options), asked, { json: options.json === true });
  });
}

/** Options that contradict each other are told like others that cannot be read. */
function read<T>(command: Command, toValue: () => T): T {
  try {
    return toValue();
  } catch (error) {
    if (error instanceof InvalidArgumentError) command.error(`error: ${error.message}`);
    throw error;
  }
}

function placeOf(repository: string | undefined, dir: string | undefined, options: PlaceOptions): DriftPlace {
  return { repository, dir, workspace: options.workspace, project: options.project };
}

function endOf(options: RuleOptions): WrittenEnd | undefined {
  const end = readEnd(options.for, options.until);
  if (end !== undefined && 'problem' in end) throw new InvalidArgumentError(end.problem);
  return end;
}

function requiredEnd(options: RuleOptions): WrittenEnd {
  const end = endOf(options);
  if (end === undefined) throw new InvalidArgumentError('write --for or --until: nothing is silent for ever');
  return end;
}
