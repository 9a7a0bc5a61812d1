import { formatCommand } from '../../src/core/command.ts';
import { parseComment } from '../../src/core/command-parser.ts';
import { isGo, readTable } from './rows.mjs';

const FILE = 'events.comment_parser';
const parse = (body, triggers = ['atlantis'], login = 'github-user') => parseComment(body, { triggers, login });
const code = (body) => parse(body).code ?? parse(body).kind;

/** Every row as `{name, check}`; `check` answers undefined, or what went wrong. */
export function commentRows(directory) {
  const rows = (table, list) => readTable(directory, FILE, table, list);
  const expectCode = (table, list, wanted, pick = (row) => row.comment ?? row) =>
    rows(table, list).map((row) => ({
      name: `${table}: ${pick(row)}`,
      check: () =>
        wanted.includes(code(pick(row))) ? undefined : `got ${code(pick(row))}, wanted ${wanted.join(' or ')}`,
    }));
  return [
    ...expectCode('TestParse_Ignored', 'ignoreComments', ['none']),
    ...expectCode('TestParse_HelpResponse', 'helpComments', ['help']),
    ...expectCode('TestParse_TrimCommandString', 'helpComments', ['help']),
    ...expectCode('TestParse_DidYouMeanAtlantis', 'comments', ['did_you_mean']),
    ...expectCode('TestParse_InvalidCommand', 'comments', ['unknown_command', 'unsupported_command']),
    ...expectCode('TestParse_SubcommandUsage', 'tests', ['help'], (row) => row.input),
    ...expectCode('TestParse_InvalidFlags', 'cases', ['unknown_flag']),
    ...expectCode('TestParse_RelativeDirPath', 'comments', ['bad_dir']),
    ...expectCode('TestParse_GlobPatternDirWithRelativePath', 'comments', ['bad_dir']),
    ...expectCode('TestParse_InvalidGlobPattern', 'comments', ['bad_dir']),
    ...expectCode('TestParse_ValidCommand', 'comments', ['commands']),
    ...expectCode('TestParse_InvalidWorkspace', 'comments', ['bad_workspace']),
    ...expectCode('TestParse_WorkspaceTildeInvalid', 'comments', ['bad_workspace']),
    ...expectCode('TestParse_WorkspaceUnsafeForPathsInvalid', 'comments', ['bad_workspace']),
    ...expectCode('TestParse_WorkspaceShellMetacharactersAllowed', 'comments', ['commands']),
    ...expectCode('TestParse_BlockedExtraArgs', 'cases', ['blocked_argument']),
    ...expectCode('TestParse_UsingProjectAtSameTimeAsWorkspaceOrDir', 'cases', ['project_with_place'], (row) => row),
    ...rows('TestParse_ExecutableName', 'cases').map(executableName),
    ...rows('TestParse_VCSUsername', 'cases').map(({ user }) => ({
      name: `TestParse_VCSUsername: @${user}`,
      check: () => expectEqual(parse(`@${user} help`, ['atlantis'], user).code, 'help'),
    })),
    ...rows('TestParse_UnusedArguments', 'cases').map(unusedArguments),
    ...rows('TestParse_GlobPatternDir', 'cases').map(({ comment, expectedDir }) => ({
      name: `TestParse_GlobPatternDir: ${comment}`,
      check: () => expectEqual(parse(comment).commands?.[0].selection.dirs, [expectedDir]),
    })),
    ...rows('TestParse_Parsing', 'cases').flatMap((row) =>
      ['plan', 'apply', 'version'].map((name) => parsing(name, row)),
    ),
    ...rows('TestBuildPlanApplyVersionComment', 'cases').flatMap(building),
  ];
}

function executableName({ user, expIgnore }) {
  const login = user.startsWith('@') ? user.slice(1) : 'somebody';
  const triggers = user === 'atlantis' ? ['custom-executable-name'] : [user];
  return {
    name: `TestParse_ExecutableName: ${user}`,
    check: () => expectEqual(parse(`${user} help`, triggers, login).kind === 'none', expIgnore),
  };
}

function unusedArguments({ Command, Args, Unused }) {
  const name = Command.$go.replace('command.', '').toLowerCase();
  return {
    name: `TestParse_UnusedArguments: ${name} ${Args}`,
    check: () => {
      const result = parse(`atlantis ${name} ${Args}`);
      return expectEqual([result.code, result.reply?.problem.includes(Unused)], ['unused_arguments', true]);
    },
  };
}

function parsing(name, row) {
  return {
    name: `TestParse_Parsing: ${name} ${row.flags}`,
    check: () => {
      const command = parse(`atlantis ${name} ${row.flags}`).commands?.[0];
      const { dirs, workspace, project } = command?.selection ?? {};
      return expectEqual(
        [dirs?.[0] ?? '', workspace ?? '', project ?? '', command?.verbose, command?.extraArgs.join(' ')],
        [row.expDir, row.expWorkspace, row.expProject, row.expVerbose, row.expExtraArgs],
      );
    },
  };
}

function building(row) {
  const project = { dir: row.repoRelDir, workspace: row.workspace, name: row.project || undefined };
  const extraArgs = (row.commentArgs ?? []).map((argument) => argument.replace(/^"|"$/g, ''));
  const automergeMethod = isGo(row.autoMergeMethod) ? undefined : row.autoMergeMethod;
  const options = { extraArgs, ...(automergeMethod ? { automergeMethod } : {}) };
  const wanted = { plan: row.expPlanFlags, apply: row.expApplyFlags, version: row.expVersionFlags };
  return Object.entries(wanted).map(([name, flags]) => ({
    name: `TestBuildPlanApplyVersionComment: ${name} ${flags}`,
    check: () => expectEqual(formatCommand('atlantis', name, project, options), `atlantis ${name} ${flags}`),
  }));
}

export function expectEqual(got, wanted) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
  return a === b ? undefined : `got ${a}, wanted ${b}`;
}
