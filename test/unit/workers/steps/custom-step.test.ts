import { expect, test } from 'vitest';
import { parseMultienv } from '../../../../workers/steps/custom-step.ts';
import { variableRefusal } from '../../../../workers/steps/step-environment.ts';

test.each([
  ['A=1', [['A', '1']]],
  [
    'A=1,B=2\n',
    [
      ['A', '1'],
      ['B', '2'],
    ],
  ],
  [
    'A=1\nB=2\n',
    [
      ['A', '1'],
      ['B', '2'],
    ],
  ],
  [
    'A="x,y",B=\'p\nq\'',
    [
      ['A', 'x,y'],
      ['B', 'p\nq'],
    ],
  ],
  ['A=b=c', [['A', 'b=c']]],
  ['A=', [['A', '']]],
  ['', []],
  ['not pairs', undefined],
])('multienv %j', (output, pairs) => {
  expect(parseMultienv(output)).toEqual(pairs);
});

test.each([
  ['AWS_REGION', true],
  ['TF_VAR_x', true],
  ['TF_VAR', false],
  ['TF_CLI_ARGS', false],
  ['TF_CLI_ARGS_apply', false],
  ['TF_REATTACH_PROVIDERS', false],
  ['TF_PLUGIN_CACHE_DIR', false],
  ['TF_CLI_CONFIG_FILE', false],
  ['TF_WORKSPACE', false],
  ['tf_data_dir', false],
  ['LD_LIBRARY_PATH', false],
  ['GIT_CONFIG_COUNT', false],
  ['NODE_OPTIONS', false],
  ['PATH', false],
  ['HTTPS_PROXY', false],
  ['A B', false],
  ['', false],
  ['A=B', false],
])('a step may set %j: %j', (name, may) => {
  expect(variableRefusal(name) === undefined).toBe(may);
});
