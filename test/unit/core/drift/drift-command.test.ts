import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DRIFT_COMMANDS,
  DRIFT_FLAGS,
  resolveEnd,
  type DriftCommand,
} from '../../../../src/core/drift/drift-command.ts';
import { parseDriftComment, type ParsedDriftComment } from '../../../../src/core/drift/drift-command-parser.ts';
import type { TriggerWords } from '../../../../src/core/read-command-lines.ts';

const WORDS: TriggerWords = { triggers: ['holdfast', 'atlantis'], login: 'robo[bot]' };
const parse = (body: string): ParsedDriftComment => parseDriftComment(body, WORDS);

function commands(body: string): readonly DriftCommand[] {
  const result = parse(body);
  if (result.kind !== 'commands') throw new Error(JSON.stringify(result));
  return result.commands;
}

function unreadable(body: string) {
  const result = parse(body);
  if (result.kind !== 'unreadable') throw new Error(JSON.stringify(result));
  return result;
}

const DAYS = (days: number) => ({ kind: 'for', ms: days * 86_400_000 }) as const;
const NEW_YEAR = { kind: 'until', at: new Date('2027-01-01T00:00:00Z') } as const;

describe('what is a command', () => {
  test.each<[string, DriftCommand]>([
    ['holdfast drift run', { name: 'run' }],
    ['HOLDFAST Drift RUN', { name: 'run' }],
    ['run drift run', { name: 'run' }],
    ['@robo drift resume', { name: 'resume' }],
    ['`atlantis drift resume`', { name: 'resume' }],
    ['holdfast apply', { name: 'apply', destroys: [] }],
    [
      `holdfast apply --allow-destroy 'aws_db.main["a"]' --allow-destroy=module.x.aws_vpc.y --allow-destroy module.x.aws_vpc.y`,
      { name: 'apply', destroys: ['aws_db.main["a"]', 'module.x.aws_vpc.y'] },
    ],
    ['holdfast approve 0123456789ABCDEF', { name: 'approve', fingerprint: '0123456789abcdef' }],
    ['holdfast drift ack', { name: 'ack', reason: undefined }],
    ['holdfast drift ack we keep it', { name: 'ack', reason: 'we keep it' }],
    ['holdfast drift ack --reason "we keep it"', { name: 'ack', reason: 'we keep it' }],
    ['holdfast drift ack --reason " "', { name: 'ack', reason: undefined }],
    [`holdfast drift ack ${'x'.repeat(500)}`, { name: 'ack', reason: 'x'.repeat(500) }],
    ['holdfast drift snooze 7d', { name: 'snooze', end: DAYS(7), reason: undefined }],
    ['holdfast drift snooze 7d after the move', { name: 'snooze', end: DAYS(7), reason: 'after the move' }],
    ['holdfast drift snooze --for 7d later', { name: 'snooze', end: DAYS(7), reason: 'later' }],
    ['holdfast drift snooze --until 2026-12-31 later', { name: 'snooze', end: NEW_YEAR, reason: 'later' }],
    ['holdfast drift suspend we move the network', { name: 'suspend', reason: 'we move the network', end: undefined }],
    ['holdfast drift suspend moving --for 2d', { name: 'suspend', reason: 'moving', end: DAYS(2) }],
    ['holdfast drift suspend --until 2026-12-31 --reason moving', { name: 'suspend', reason: 'moving', end: NEW_YEAR }],
    [
      'holdfast drift ignore aws_instance.* tagged by a scanner --for 30d --attribute tags.* --owner @ann',
      {
        name: 'ignore',
        address: 'aws_instance.*',
        attribute: 'tags.*',
        reason: 'tagged by a scanner',
        owner: 'ann',
        end: DAYS(30),
      },
    ],
    [
      'holdfast drift ignore a.b --reason ours --until 2026-12-31',
      { name: 'ignore', address: 'a.b', attribute: '*', reason: 'ours', owner: undefined, end: NEW_YEAR },
    ],
  ])('%s', (body, command) => expect(commands(body)).toEqual([command]));

  test('several lines are several commands in their order', () => {
    expect(commands('> said\n\nholdfast drift resume\nholdfast drift run\n').map(({ name }) => name)).toEqual([
      'resume',
      'run',
    ]);
  });

  test.each([
    '',
    'I would drift ack this',
    'please holdfast apply',
    'holdfast apply\nThanks!',
    '> holdfast apply',
    '```\nholdfast apply\n```',
    'run the tests, please',
    'holdfasts are things of the sea',
    `holdfast drift ack ${'x'.repeat(10_000)}`,
    'holdfast drift run\n'.repeat(21),
  ])('prose: %j', (body) => expect(parse(body)).toEqual({ kind: 'none' }));

  test.each([
    ['holdfast', undefined],
    ['holdfast help', undefined],
    ['holdfast drift', undefined],
    ['holdfast drift help', undefined],
    ['holdfast drift help me', undefined],
    ['holdfast drift --help', undefined],
    ['holdfast drift snooze --help', 'snooze'],
    ['holdfast apply -h', 'apply'],
    ['holdfast drift run\nholdfast help', undefined],
  ])('help: %j', (body, command) => expect(parse(body)).toEqual({ kind: 'help', command }));
});

const HERE =
  'Here are `apply`, `approve`, `drift run`, `drift ack`, `drift snooze`, `drift ignore`, `drift suspend`, `drift resume`, `drift help`.';

describe('what cannot be read', () => {
  test.each([
    ['drift acks', `There is no command "acks" for drift. ${HERE}`, 'holdfast drift ack'],
    ['drift snoze 7d', `There is no command "snoze" for drift. ${HERE}`, 'holdfast drift snooze 7d'],
    ['drift destroy', `There is no command "destroy" for drift. ${HERE}`, undefined],
    ['aply', `There is no command "aply" for drift. ${HERE}`, 'holdfast apply'],
    ['snooze 7d "after it"', `There is no command "snooze" for drift. ${HERE}`, 'holdfast drift snooze 7d "after it"'],
    ['drift apply', `There is no command "apply" for drift. ${HERE}`, 'holdfast apply'],
    ['drift approve abc', `There is no command "approve" for drift. ${HERE}`, 'holdfast approve abc'],
    ['plan -d x', `"plan" is for pull requests. ${HERE}`, 'holdfast drift run'],
    ['drift plan', `"plan" is for pull requests. ${HERE}`, 'holdfast drift run'],
    ['unlock', `"unlock" is for pull requests. ${HERE}`, undefined],
    ['__proto__', `There is no command "__proto__" for drift. ${HERE}`, undefined],
  ])('holdfast %s', (line, problem, didYouMean) => {
    expect(unreadable(`holdfast ${line}`)).toEqual({
      kind: 'unreadable',
      line: `holdfast ${line}`,
      problem,
      didYouMean,
      usage: undefined,
    });
  });

  test.each([
    ['drift run now', 'unknown argument(s) – now.', 'run'],
    ['drift run --for 5d', 'unknown flag: --for.', 'run'],
    ['drift resume --', 'nothing is handed on to Terraform here.', 'resume'],
    ['apply a.b', 'unknown argument(s) – a.b.', 'apply'],
    ['apply -- -target=a', 'nothing is handed on to Terraform here.', 'apply'],
    ['apply --allow-destroy', 'flag needs an argument: --allow-destroy.', 'apply'],
    ['approve', 'it needs the fingerprint of the drift, as the report shows it, and nothing else.', 'approve'],
    ['approve 0123456', 'it needs the fingerprint of the drift, as the report shows it, and nothing else.', 'approve'],
    ['approve 0123456z', 'it needs the fingerprint of the drift, as the report shows it, and nothing else.', 'approve'],
    [
      'approve 01234567 89',
      'it needs the fingerprint of the drift, as the report shows it, and nothing else.',
      'approve',
    ],
    ['drift ack we --reason they', 'unknown argument(s) – we.', 'ack'],
    [`drift ack ${'x'.repeat(501)}`, 'a reason may have 500 characters at most.', 'ack'],
    ['drift snooze', 'it needs to know for how long, such as 7d.', 'snooze'],
    ['drift snooze soon', '"soon" is no duration such as 30m, 12h or 7d.', 'snooze'],
    ['drift snooze 0d', '"0d" is no duration such as 30m, 12h or 7d.', 'snooze'],
    [
      'drift snooze --until soon',
      '"soon" is no day such as 2026-12-31 and no time such as 2026-12-31T18:00Z.',
      'snooze',
    ],
    ['drift snooze --for 7d --until 2026-12-31', 'write --for or --until, not both.', 'snooze'],
    ['drift suspend', 'it needs a reason: somebody will wonder why nothing is checked.', 'suspend'],
    ['drift suspend --for 7d', 'it needs a reason: somebody will wonder why nothing is checked.', 'suspend'],
    ['drift suspend moving --for ever', '"ever" is no duration such as 30m, 12h or 7d.', 'suspend'],
    ['drift ignore', 'it needs the address of a resource; `*` is any run of characters.', 'ignore'],
    ['drift ignore a.b ours', 'it needs an end, --for or --until, so that it is not forgotten.', 'ignore'],
    ['drift ignore a.b --for 7d', 'it needs a reason: why this is no drift.', 'ignore'],
    ['drift ignore a.b ours --for x', '"x" is no duration such as 30m, 12h or 7d.', 'ignore'],
    ['drift ignore "" ours --for 7d', 'the address is empty.', 'ignore'],
    ['drift ignore a.b ours --for 7d --attribute ""', 'the attribute is empty.', 'ignore'],
    ['drift ignore a.b ours --for 7d --owner @', 'the owner is empty.', 'ignore'],
  ])('holdfast %s', (line, problem, usage) => {
    if (line === 'drift help me')
      return expect(parse(`holdfast ${line}`)).toEqual({ kind: 'help', command: undefined });
    expect(unreadable(`holdfast ${line}`)).toMatchObject({ problem, usage, didYouMean: undefined });
  });

  test('one line that cannot be read stops the others, and says so', () => {
    expect(unreadable('holdfast drift run\nholdfast drift sus')).toMatchObject({
      line: 'holdfast drift sus',
      problem: expect.stringMatching(/\. None of the commands was run\.$/),
    });
    expect(unreadable("holdfast drift ack we don't").problem).toBe(
      "The command could not be read: the quote ' is never closed.",
    );
  });

  test('a trigger word with a slip, and one of another program', () => {
    expect(unreadable('holdfats apply')).toMatchObject({ didYouMean: 'holdfast apply', usage: undefined });
    expect(unreadable('terraform apply')).toMatchObject({
      didYouMean: 'holdfast apply',
      problem: 'Nothing was run: a command starts with `holdfast`, not with "terraform".',
    });
    expect(unreadable('holdfats plan').didYouMean).toBe('holdfast plan');
    expect(parse('terraform apply is what I would do')).toEqual({ kind: 'none' });
  });
});

describe('whatever is written', () => {
  const word = fc.oneof(
    fc.constantFrom(
      'holdfast',
      'drift',
      ...Object.keys(DRIFT_COMMANDS),
      '--for',
      '7d',
      '--until',
      '2026-12-31',
      '--reason',
      '--',
      '"',
      '\n',
      '-h',
    ),
    fc.string(),
  );

  test('it never throws, and no suspension, rule or approval comes without what it needs', () =>
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (words) => {
        const result = parse(`holdfast ${words.join(' ')}`);
        if (result.kind !== 'commands') return;
        for (const command of result.commands) {
          if (command.name === 'suspend' || command.name === 'ignore') expect(command.reason.trim()).not.toBe('');
          if (command.name === 'snooze' || command.name === 'ignore') expect(command.end).toBeDefined();
          if (command.name === 'approve') expect(command.fingerprint).toMatch(/^[0-9a-f]{8,64}$/);
        }
      }),
      { numRuns: 300 },
    ));
});

describe('the end', () => {
  const NOW = new Date('2026-11-21T12:00:00Z');

  test('is worked out from now', () => {
    expect(resolveEnd(DAYS(2), NOW)).toEqual(new Date('2026-11-23T12:00:00Z'));
    expect(resolveEnd(NEW_YEAR, NOW)).toEqual(NEW_YEAR.at);
  });

  test('lies in the future, and not too far', () => {
    const past = { problem: 'The time at which it ends must lie in the future.' };
    const far = { problem: 'It may last for 366 days at most; say it anew when it has ended.' };
    expect(resolveEnd({ kind: 'until', at: NOW }, NOW)).toEqual(past);
    expect(resolveEnd({ kind: 'until', at: new Date('2020-01-01') }, NOW)).toEqual(past);
    expect(resolveEnd(DAYS(366), NOW)).toBeInstanceOf(Date);
    expect(resolveEnd(DAYS(366.1), NOW)).toEqual(far);
    expect(resolveEnd({ kind: 'for', ms: Number.MAX_SAFE_INTEGER }, NOW)).toEqual(past);
  });
});

describe('what help is made of', () => {
  const typed = Object.values(DRIFT_COMMANDS).map(({ typed: words, words: more, flags, permission }) =>
    [words, more, ...flags.map((flag) => `--${flag}`), `(${permission})`].filter(Boolean).join(' '),
  );

  test('every command with what it takes; whoever may plan may check, and everything else needs whoever may apply', () => {
    expect(typed).toEqual([
      'apply --allow-destroy --help (apply)',
      'approve FINGERPRINT --help (apply)',
      'drift run --help (plan)',
      'drift ack [REASON] --reason --help (apply)',
      'drift snooze DURATION [REASON] --for --until --reason --help (apply)',
      'drift ignore ADDRESS REASON --attribute --for --until --reason --owner --help (apply)',
      'drift suspend REASON --for --until --reason --help (apply)',
      'drift resume --help (apply)',
      'drift help --help (undefined)',
    ]);
  });

  test('each says what it does, and each flag what it means', () => {
    const purposes = Object.values(DRIFT_COMMANDS).map(({ purpose }) => purpose);
    const meanings = Object.values(DRIFT_FLAGS).map(({ help }) => help);
    expect([...purposes, ...meanings].filter((text) => text.trim().length < 10)).toEqual([]);
    expect(new Set(purposes).size).toBe(purposes.length);
  });
});
