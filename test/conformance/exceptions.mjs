/** Rows that are answered differently on purpose, by the beginning of their name, with the reason. */
export const EXCEPTIONS = {
  'TestParse_InvalidFlags: atlantis import':
    'there is no command import: it is refused by name, with what to write instead',
  'TestParse_SubcommandUsage: atlantis approve_policies':
    'there is no such command: it is refused by name, with what to do instead',
  'TestParse_SubcommandUsage: atlantis import':
    'there is no such command: it is refused by name, with what to do instead',
  'TestParse_SubcommandUsage: atlantis state':
    'there is no such command: it is refused by name, with what to do instead',
  'TestParse_RelativeDirPath: atlantis import': 'there is no command import; refused all the same',
  'TestParse_GlobPatternDirWithRelativePath: atlantis import': 'there is no command import; refused all the same',
  'TestParse_InvalidWorkspace: atlantis import': 'there is no command import; refused all the same',
  'TestParse_WorkspaceTildeInvalid: atlantis import': 'there is no command import; refused all the same',
  'TestParse_UsingProjectAtSameTimeAsWorkspaceOrDir: atlantis import':
    'there is no command import; refused all the same',
  'TestParse_GlobPatternDir: atlantis import': 'there is no command import',
  'TestParse_UnusedArguments: import': 'there is no command import',
  'TestParse_UnusedArguments: approvepolicies': 'there is no command approve_policies',
  TestParseRepoCfg_V2ShellParsing: 'version 2 of the file is refused with what to write instead',
  'TestParseGlobalCfg: all keys specified':
    'hooks and policies are not honoured; passing them over would drop a protection, so they are errors',
  'TestParserValidator_ParseGlobalCfgJSON: setting all keys':
    'policies are not honoured; passing them over would drop a protection, so they are errors',
  'TestParserValidator_ParseGlobalCfgJSON: empty string':
    'the file is YAML, of which JSON is a part; it is refused as an empty file',
  'TestDetermineProjects: Should find packer files':
    'there is no list of files for the whole server; `when_modified` names them per project',
  'TestDetermineProjects: Should find yaml files':
    'there is no list of files for the whole server; `when_modified` names them per project',
};

export function exceptionFor(name) {
  const key = Object.keys(EXCEPTIONS).find((prefix) => name.startsWith(prefix));
  return key === undefined ? undefined : EXCEPTIONS[key];
}
