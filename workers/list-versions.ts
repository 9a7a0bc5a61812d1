import { createRequire } from 'node:module';
import type { Project } from '../src/core/project.ts';
import type { CommandReply } from '../src/core/reply.ts';
import type { RunContext } from './run-context.ts';

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

export interface VersionQuestion {
  readonly title: string;
  readonly project: Project;
  readonly requiredVersions: readonly string[];
}

/** Which Terraform or OpenTofu each project would be run with. */
export async function listVersions(
  { terraform }: RunContext,
  questions: readonly VersionQuestion[],
): Promise<CommandReply> {
  const projects = await Promise.all(
    questions.map(async ({ title, project, requiredVersions }) => {
      const { terraformDistribution: distribution, terraformVersion } = project;
      const found = await terraform.find({ distribution, version: terraformVersion, requiredVersions });
      if ('problem' in found) return { title, version: '', problem: found.problem };
      return { title, version: `${found.distribution} ${found.version}`, problem: undefined };
    }),
  );
  return { kind: 'version', holdfast: version, projects };
}
