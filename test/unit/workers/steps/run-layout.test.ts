import { expect, test } from 'vitest';
import { cliConfig } from '../../../../workers/steps/run-layout.ts';

test('providers come from the mirrors alone, unless asking registries is allowed and possible', () => {
  const mirrors = { mirrorDirectories: ['/a', '/b"${x}'], direct: false };
  expect(cliConfig(mirrors, true)).toBe(`disable_checkpoint = true
provider_installation {
  filesystem_mirror {
    path = "/a"
  }
  filesystem_mirror {
    path = "/b\\"$\${x}"
  }
}
`);
  expect(cliConfig({ ...mirrors, direct: true }, false)).not.toContain('direct');
  expect(cliConfig({ ...mirrors, direct: true }, true)).toContain('direct {}');
});
