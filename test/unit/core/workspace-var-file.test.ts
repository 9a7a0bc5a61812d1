import { expect, test } from 'vitest';
import { workspaceVarFile } from '../../../src/core/workspace-var-file.ts';

test('env/<workspace>.tfvars of the project, when the commit has it', () => {
  const paths = new Set(['a/env/w.tfvars', 'env/default.tfvars']);
  expect(workspaceVarFile('a', 'w', paths)).toBe('env/w.tfvars');
  expect(workspaceVarFile('.', 'default', paths)).toBe('env/default.tfvars');
  expect(workspaceVarFile('a', 'default', paths)).toBeUndefined();
});
