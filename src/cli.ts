import { Command } from 'commander';
import { driftCommands } from './commands/drift-cli.ts';

/** The `holdfast` command. Each subcommand loads what it needs: checking a file must not wait for a server's libraries. `demo` is started by the bootstrap: it belongs to the tests, not to the program. */
const program = new Command('holdfast')
  .description(
    'Keeps infrastructure fastened to Git: Terraform and OpenTofu, planned and applied from the pull request.',
  )
  .showHelpAfterError()
  .showSuggestionAfterError();

program
  .command('serve')
  .description('webhooks, pages and the worker in one process')
  .action(async () => (await import('./commands/serve.ts')).serve({ server: true }));

program
  .command('worker')
  .description('the worker alone; needs a database that the server uses, too')
  .action(async () => (await import('./commands/serve.ts')).serve({ server: false }));

program
  .command('validate')
  .description("check a repository's holdfast.yaml or atlantis.yaml, or a server's config")
  .argument('[path]', 'file, or the folder of a repository', '.')
  .action(async (path: string) => (await import('./commands/validate.ts')).validate(path));

program
  .command('doctor')
  .description('look for what is missing or misconfigured, and say how to mend it')
  .action(async () => (await import('./commands/doctor.ts')).doctor());

program.addCommand(driftCommands());

program
  .command('demo')
  .description('the whole story on this machine, with a local GitHub and no account')
  .option('--once', 'play it through and exit')
  .action(() => program.error('the demo is started by the launcher: npm run demo'));

await program.parseAsync();
