import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatCommand, type Command } from '../../../src/core/command.ts';
import { parseComment, type ParsedComment } from '../../../src/core/command-parser.ts';
import type { TriggerWords } from '../../../src/core/read-command-lines.ts';

const WORDS: TriggerWords = { triggers: ['holdfast', 'atlantis'], login: 'robo[bot]' };
const parse = (body: string): ParsedComment => parseComment(body, WORDS);

function commands(body: string): readonly Command[] {
  const result = parse(body);
  if (result.kind !== 'commands') throw new Error(JSON.stringify(result));
  return result.commands;
}

function reply(body: string): {
  code: string;
  problem: string | undefined;
  didYouMean: string | undefined;
  usage: string | undefined;
} {
  const result = parse(body);
  if (result.kind !== 'reply') throw new Error(JSON.stringify(result));
  const inner = result.reply.kind === 'unreadable' ? result.reply : undefined;
  return { code: result.code, problem: inner?.problem, didYouMean: inner?.didYouMean, usage: inner?.usage };
}

const NO_SELECTION = { dirs: [], workspace: undefined, project: undefined };
const PLAN = { name: 'plan', selection: NO_SELECTION, verbose: false, extraArgs: [] };

describe('what is a command', () => {
  test.each([
    'holdfast plan',
    'Holdfast PLAN',
    'atlantis plan',
    'run plan',
    '@robo plan',
    '@robo[bot] plan',
    '`holdfast plan`  ',
    '\r\n\n  holdfast plan\n\n',
    '> quoted words\n\nholdfast plan',
    '```\nsome log\n```\nholdfast plan',
    '~~~~\nlog\n~~~\nlog\n~~~~\nholdfast plan',
    '```x```'.replace('x', 'holdfast plan'),
  ])('%j', (body) => {
    expect(commands(body)).toEqual([PLAN]);
  });

  test.each([
    '',
    ' ',
    'abc',
    'please holdfast plan',
    'holdfast plan\nThanks!',
    'I would\nholdfast plan',
    '> holdfast plan',
    '```\nholdfast plan\n```',
    '```\nholdfast plan',
    'run the tests, please',
    'terraform plan\nbut with newlines',
    'terraform plan looks good to me',
    'holdfasts are things of the sea',
    '@someone plan',
    `${'holdfast plan\n'.repeat(21)}`,
    `holdfast plan ${'x'.repeat(10_000)}`,
  ])('prose: %j', (body) => {
    expect(parse(body)).toEqual({ kind: 'none' });
  });

  test('several lines are several commands in their order', () => {
    expect(commands('holdfast plan\n\n> said\nholdfast unlock\nrun cancel').map((command) => command.name)).toEqual([
      'plan',
      'unlock',
      'cancel',
    ]);
  });

  test('one line that cannot be read stops the others, and says so', () => {
    expect(reply('holdfast plan\nholdfast aply')).toMatchObject({
      code: 'unknown_command',
      problem: expect.stringContaining('None of the commands was run.'),
      didYouMean: 'holdfast apply',
    });
    expect(reply('holdfast aply').problem).not.toContain('None of the commands');
  });

  test('without a login there is no mention', () => {
    expect(parseComment('@undefined plan', { triggers: ['holdfast'], login: undefined })).toEqual({ kind: 'none' });
  });
});

describe('flags', () => {
  test.each([
    ['-d dir', { dirs: ['dir'] }],
    ['-ddir', { dirs: ['dir'] }],
    ['-d=dir', { dirs: ['dir'] }],
    ['--dir=dir', { dirs: ['dir'] }],
    ['--dir dir', { dirs: ['dir'] }],
    ['-d a -d b', { dirs: ['a', 'b'] }],
    ['-d /adir', { dirs: ['adir'] }],
    ['-d ./', { dirs: ['.'] }],
    ['-d a/../b', { dirs: ['b'] }],
    ['-d "dir with space"', { dirs: ['dir with space'] }],
    ["-d 'stacks/*'", { dirs: ['stacks/*'] }],
    ['-w staging', { workspace: 'staging' }],
    ['-w a;id', { workspace: 'a;id' }],
    ['-w a`id`b', { workspace: 'a`id`b' }],
    ['-p name', { project: 'name' }],
    ['-p=-x', { project: '-x' }],
  ])('plan %s', (flags, selection) => {
    expect(commands(`holdfast plan ${flags}`)).toEqual([{ ...PLAN, selection: { ...NO_SELECTION, ...selection } }]);
  });

  test('what follows -- is for Terraform', () => {
    expect(commands('holdfast plan -w x -- -d dir --verbose "a b"')).toEqual([
      { ...PLAN, selection: { ...NO_SELECTION, workspace: 'x' }, extraArgs: ['-d', 'dir', '--verbose', 'a b'] },
    ]);
    expect(commands('holdfast plan --')).toEqual([PLAN]);
  });

  test('booleans', () => {
    expect(commands('holdfast version --verbose')[0]).toMatchObject({ name: 'version', verbose: true });
    expect(commands('holdfast plan --verbose --verbose=false')[0]).toMatchObject({ verbose: false });
    expect(reply('holdfast plan --verbose=perhaps').code).toBe('bad_value');
  });

  test('apply has two of its own', () => {
    expect(commands('holdfast apply --auto-merge-disabled --auto-merge-method squash')[0]).toEqual({
      ...PLAN,
      name: 'apply',
      automergeDisabled: true,
      automergeMethod: 'squash',
    });
    expect(commands('holdfast apply')[0]).toMatchObject({ automergeDisabled: false, automergeMethod: undefined });
    expect(reply('holdfast apply --auto-merge-method octopus').code).toBe('bad_value');
    expect(reply('holdfast plan --auto-merge-disabled').code).toBe('unknown_flag');
  });

  test.each([
    ['plan -e', 'unknown_flag', "unknown shorthand flag: 'e' in -e"],
    ['plan --abc', 'unknown_flag', 'unknown flag: --abc'],
    ['plan --__proto__', 'unknown_flag', 'unknown flag: --__proto__'],
    ['plan --workspce x', 'unknown_flag', 'did you mean --workspace?'],
    ['plan -d', 'missing_value', 'flag needs an argument: -d'],
    ['plan -d -w x', 'missing_value', 'flag needs an argument: -d'],
    ['plan -w a -w b', 'repeated_flag', '-w can be given once only'],
    ['plan -p a -p b', 'repeated_flag', '-p can be given once only'],
    ['plan -p ""', 'bad_value', 'needs the name'],
    ['plan -d . arg -w x arg2', 'unused_arguments', 'arg arg2'],
    ['apply arg --', 'unused_arguments', 'arg'],
    ['plan -d ..', 'bad_dir', '".."'],
    ['plan -d ./..', 'bad_dir', '"./.."'],
    ['plan -d a/b/../../..', 'bad_dir', 'leaves the repository'],
    ["plan -d '../*'", 'bad_dir', 'leaves the repository'],
    ['plan -d ""', 'bad_dir', 'needs a directory'],
    ["plan -d 'modules/[invalid'", 'bad_dir', 'invalid glob pattern'],
    ['plan -w ..', 'bad_workspace', "'..'"],
    ['plan -w a/b', 'bad_workspace', "'/'"],
    ['plan -w ~', 'bad_workspace', "'~'"],
    ['plan -w a$HOME', 'bad_workspace', "'$'"],
    ['plan -w ""', 'bad_workspace', 'needs a name'],
    ['plan -p a -w b', 'project_with_place', '-p/--project'],
    ['plan -p a -d b', 'project_with_place', '-p/--project'],
    ["plan -d 'a", 'unreadable_words', 'never closed'],
    ['plan -- -chdir=../x', 'blocked_argument', 'flag "-chdir=../x" is not allowed in extra args'],
    ['plan -- --out=x', 'blocked_argument', 'plan file'],
    ['plan -- -lock=false', 'blocked_argument', 'state lock'],
    ['apply -- -target=a', 'blocked_argument', 'as a whole'],
    ['unlock -d .', 'takes_no_flags', 'takes no flags'],
    ['unlock --', 'takes_no_flags', 'takes no flags'],
    ['cancel -x', 'takes_no_flags', 'takes no flags'],
    ['unlock everything', 'unused_arguments', 'everything'],
    ['paln -d x', 'unknown_command', 'There is no command "paln"'],
    ['import a b', 'unsupported_command', '`import` block'],
    ['state rm a', 'unsupported_command', 'state rm'],
    ['Approve_Policies', 'unsupported_command', 'Policy checks'],
    ['constructor', 'unknown_command', 'There is no command'],
  ])('refuses %s', (line, code, words) => {
    const answer = reply(`holdfast ${line}`);
    expect(answer.code).toBe(code);
    expect(answer.problem).toContain(words);
  });

  test('a target is for plan, and names of projects are not flags', () => {
    expect(commands('holdfast plan -- -target=a')[0]).toMatchObject({ extraArgs: ['-target=a'] });
    expect(reply('holdfast plan arg').usage).toBe('plan');
    expect(reply('holdfast nothing').problem).toContain('`plan`, `apply`, `unlock`, `cancel`, `version`, `help`');
  });
});

describe('help and near misses', () => {
  test.each([
    'holdfast',
    'holdfast help',
    'run',
    '@robo',
    'holdfast --help',
    'holdfast -h',
    'holdfast help something else',
  ])('%s', (body) => {
    expect(parse(body)).toMatchObject({ kind: 'reply', code: 'help', reply: { kind: 'help' } });
    const result = parse(body);
    expect(result.kind === 'reply' && result.reply).not.toHaveProperty('command');
  });

  test.each(['plan', 'apply', 'unlock', 'cancel', 'version'])('%s -h', (name) => {
    expect(parse(`holdfast ${name} -h`)).toMatchObject({ code: 'help', reply: { kind: 'help', command: name } });
  });

  test.each([
    ['terraform', 'holdfast'],
    ['terraform --help', 'holdfast --help'],
    ['terraform plan', 'holdfast plan'],
    ['Terraform plan -w workspace -d . -- test', 'holdfast plan -w workspace -d . -- test'],
    ['tofu apply', 'holdfast apply'],
    ['holdfats plan -d x', 'holdfast plan -d x'],
    ['atlanits plan', 'atlantis plan'],
    ['holdfats paln', 'holdfast paln'],
  ])('%s', (body, didYouMean) => {
    expect(reply(body)).toMatchObject({ code: 'did_you_mean', didYouMean });
  });

  test('a command with a slip is corrected with its flags', () => {
    expect(reply('atlantis paln -d x')).toMatchObject({ code: 'unknown_command', didYouMean: 'holdfast plan -d x' });
    expect(reply('run aply')).toMatchObject({ code: 'unknown_command', didYouMean: 'holdfast apply' });
  });
});

describe('hostile text', () => {
  const word = fc.oneof(
    fc.constantFrom(
      'holdfast',
      'plan',
      'apply',
      '-d',
      '-w',
      '-p',
      '--',
      '--verbose',
      '--dir=',
      '`',
      '```',
      '>',
      '"',
      "'",
      '\\',
      '..',
      '#',
      '\n',
      '~~~',
      '--=',
      '-',
      '--no-verbose',
    ),
    fc.string({ unit: 'binary', maxLength: 12 }),
  );

  test('never throws', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), fc.boolean(), (words, led) => {
        const result = parse((led ? 'holdfast ' : '') + words.join(' '));
        expect(['none', 'commands', 'reply']).toContain(result.kind);
      }),
      { numRuns: 1_000 },
    );
  });

  test('no command that is let through leaves the repository or names a path as workspace', () => {
    const piece = fc.string({ unit: fc.constantFrom(...'./~$-a*[]\\ '), maxLength: 8 });
    fc.assert(
      fc.property(piece, piece, (dir, workspace) => {
        const result = parse(`holdfast plan -d '${dir}' -w '${workspace}'`);
        if (result.kind !== 'commands') return;
        const [command] = result.commands;
        if (command.name !== 'plan') throw new Error('not a plan');
        for (const one of command.selection.dirs) {
          expect(one.split('/')).not.toContain('..');
          expect(one.startsWith('/')).toBe(false);
        }
        expect(command.selection.workspace).not.toMatch(/[/\\$]|\.\.|^[~-]/);
      }),
      { numRuns: 1_000 },
    );
  });

  test('what is suggested can be typed', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .filter((text) => !/[\p{C}\p{Z}`/[*?]|\.\./u.test(text) && !text.startsWith('-'));
    fc.assert(
      fc.property(name, (dir) => {
        const typed = formatCommand('holdfast', 'plan', { dir, workspace: 'default', name: undefined });
        const [command] = commands(typed);
        expect(command).toMatchObject({ name: 'plan', selection: { dirs: [dir === '.' ? '.' : dir] } });
      }),
    );
  });
});

describe('formatting a command', () => {
  test.each([
    [{ dir: '.', workspace: 'default', name: undefined }, 'holdfast plan -d . -- -target=a'],
    [{ dir: '.', workspace: 'w', name: undefined }, 'holdfast plan -w w -- -target=a'],
    [{ dir: 'a b', workspace: 'w', name: undefined }, 'holdfast plan -d "a b" -w w -- -target=a'],
    [{ dir: 'a', workspace: 'w', name: 'p' }, 'holdfast plan -p p -- -target=a'],
  ])('%o', (project, wanted) => {
    expect(formatCommand('holdfast', 'plan', project, { extraArgs: ['-target=a'] })).toBe(wanted);
  });

  test('apply takes no arguments for Terraform with it, but the way to merge', () => {
    const place = { dir: 'a', workspace: 'default', name: undefined };
    expect(formatCommand('holdfast', 'apply', place, { extraArgs: ['x'], automergeMethod: 'squash' })).toBe(
      'holdfast apply -d a --auto-merge-method squash',
    );
    expect(formatCommand('holdfast', 'plan', place, { automergeMethod: 'squash' })).toBe('holdfast plan -d a');
  });
});
