import type { RemovedRootView } from '../../src/comments/view.ts';
import type { PullRequest } from '../../src/core/pull-request.ts';

/** How a person destroys what a deleted root module still has: the code has to be there to do it. */
export function removedRootView(dir: string, pull: Pick<PullRequest, 'baseRef' | 'repository'>): RemovedRootView {
  const clone = `git clone --branch ${pull.baseRef} ${pull.repository.url}.git && cd ${pull.repository.name}/${dir}`;
  return {
    dir,
    steps: [
      { text: `Check out the base branch, where \`${dir}\` still is:`, command: clone },
      {
        text: 'With credentials that may destroy it, see what would go:',
        command: 'terraform init && terraform plan -destroy',
      },
      { text: 'Destroy it:', command: 'terraform destroy' },
      {
        text: 'Then merge this pull request. To keep the objects and forget them instead, remove them from the state:',
        command: 'terraform state list | xargs -n 1 terraform state rm',
      },
    ],
  };
}
