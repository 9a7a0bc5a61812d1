import { type Logger, pino } from 'pino';
import type { ServerConfig } from '../config/server-config.ts';
import type { InstallationSecrets } from '../config/installation.ts';
import { toLoggedError } from '../lib/logged-error.ts';
import { createMasker, type Masker } from '../lib/mask.ts';

/** A password that is an ordinary word would take that word out of the log, too. */
const ORDINARY_WORD = /^[a-z]{1,10}$/;

/** Everything that the config itself says must not be seen. */
export function configMasker(config: ServerConfig, secrets?: InstallationSecrets): Masker {
  const { github } = config;
  const auth = github?.auth;
  const keys = [config.encryptionKey, ...config.previousEncryptionKeys, ...(secrets?.encryptionKeys ?? [])];
  const values = [
    config.webToken,
    secrets?.webToken,
    auth?.kind === 'token' ? auth.token : auth?.privateKey,
    github?.cloneCredential?.password,
    ...(github?.webhookSecrets ?? []),
    ...config.credentials.flatMap(({ env }) => Object.values(env)),
    ...config.notifications.flatMap((one) => (one.kind === 'webhook' ? [one.url, one.secret] : one.url)),
  ].flatMap((secret) => secret?.reveal() ?? []);
  return createMasker(
    [
      ...values,
      ...[config.databaseUrl, config.redisUrl, config.proxyUrl].flatMap((url) => passwordOf(url?.reveal())),
      ...keys.flatMap((key) => (key === undefined ? [] : Buffer.from(key.reveal()).toString('base64'))),
    ].filter((value) => !ORDINARY_WORD.test(value)),
  );
}

function passwordOf(url: string | undefined): readonly string[] {
  const password = url === undefined ? undefined : URL.parse(url)?.password;
  return password === undefined || password === '' ? [] : [password, decodeURIComponent(password)];
}

/** Logs JSON lines to stdout. What the config knows to be secret is masked in every line, wherever it came from. */
export function createLogger(level: ServerConfig['logLevel'], masker: Masker, write = writeToStdout): Logger {
  return pino(
    { level, serializers: { err: (error) => toLoggedError(error), error: (error) => toLoggedError(error) } },
    { write: (line: string) => write(masker.mask(line)) },
  );
}

/** At once, so that the last words before a crash are not lost. */
const stdout = pino.destination({ sync: true });
function writeToStdout(line: string): void {
  stdout.write(line);
}
