import { pino } from 'pino';
import { openInfrastructure } from '../infrastructure.ts';
import { readConfig } from './read-config.ts';

/** Looks at everything a run needs, and says how to mend what is missing. Exits with 1 when something is. */
export async function doctor(): Promise<void> {
  const config = readConfig('look');
  const infrastructure = await openInfrastructure(config, pino({ level: 'silent' }));
  await infrastructure.close();
}
