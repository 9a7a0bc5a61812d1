import { createPublicKey, verify } from 'node:crypto';
import type {
  Account,
  App,
  Installation,
  InstallationToken,
  PermissionLevel,
  Repository,
  Role,
} from '../state/model.ts';
import { atLeast, levelAtLeast, roleOf } from '../state/permissions.ts';
import { installationSees, type World } from '../state/world.ts';

/** Who asks. */
export type Caller =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'personal'; readonly account: Account; readonly token: string }
  | {
      readonly kind: 'installation';
      readonly account: Account;
      readonly installation: Installation;
      readonly grant: InstallationToken;
    }
  | { readonly kind: 'app'; readonly app: App };

/** A credential that is wrong: 401, whatever was asked. */
export class BadCredentialsError extends Error {}

const MAX_JWT_LIFE_S = 600;
/** Clocks differ; GitHub takes a little drift. */
const DRIFT_S = 60;

export function identify(world: World, authorization: string | undefined): Caller {
  if (authorization === undefined || authorization === '') return { kind: 'anonymous' };
  const credential = credentialOf(authorization);
  if (credential.split('.').length === 3 && !credential.startsWith('gh'))
    return { kind: 'app', app: verifyJwt(world, credential) };
  return identifyToken(world, credential);
}

function credentialOf(authorization: string): string {
  const [scheme = '', rest = ''] = authorization.split(/ +/, 2);
  if (/^(bearer|token)$/i.test(scheme)) return rest;
  if (!/^basic$/i.test(scheme)) throw new BadCredentialsError('Bad credentials');
  const decoded = Buffer.from(rest, 'base64').toString();
  return decoded.slice(decoded.indexOf(':') + 1);
}

export function identifyToken(world: World, token: string): Caller {
  const personal = world.personalTokens.get(token);
  if (personal !== undefined) return { kind: 'personal', account: personal.account, token };
  const grant = world.installationTokens.get(token);
  if (grant === undefined || grant.expiresAt <= new Date()) throw new BadCredentialsError('Bad credentials');
  const { installation } = grant;
  if (!world.installations.includes(installation)) throw new BadCredentialsError('Bad credentials');
  return { kind: 'installation', account: installation.app.bot, installation, grant };
}

function decodePart(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** By hand with node:crypto, so that the answer to each broken claim is GitHub's own and no client library checks itself. */
function verifyJwt(world: World, jwt: string): App {
  const [header = '', payload = '', signature = ''] = jwt.split('.');
  const claims = decodePart(payload);
  if (decodePart(header)['alg'] !== 'RS256') throw new BadCredentialsError('A JSON web token could not be decoded');
  const issuer = String(claims['iss']);
  const app = world.apps.find((one) => String(one.id) === issuer || `Iv23li${one.id}` === issuer);
  if (app === undefined) throw new BadCredentialsError('Integration not found');
  const signed = Buffer.from(`${header}.${payload}`);
  if (!verify('RSA-SHA256', signed, createPublicKey(app.publicKey), Buffer.from(signature, 'base64url'))) {
    throw new BadCredentialsError('A JSON web token could not be decoded');
  }
  checkTimes(Number(claims['iat']), Number(claims['exp']));
  return app;
}

function checkTimes(issuedAt: number, expiresAt: number): void {
  const now = Date.now() / 1000;
  if (!(issuedAt <= now + DRIFT_S)) {
    throw new BadCredentialsError(
      "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    );
  }
  if (!(expiresAt > now)) {
    throw new BadCredentialsError(
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    );
  }
  if (expiresAt - now > MAX_JWT_LIFE_S + DRIFT_S)
    throw new BadCredentialsError("'Expiration time' claim ('exp') is too far in the future");
}

/** Does the repository exist for this caller? If not, every answer is 404. */
export function sees(caller: Caller, repository: Repository): boolean {
  if (repository.deleted) return false;
  if (caller.kind === 'installation') return !repository.private || grantCovers(caller.grant, repository);
  return atLeast(roleOf(repository, caller.kind === 'personal' ? caller.account : undefined), 'read');
}

export function grantCovers(grant: InstallationToken, repository: Repository): boolean {
  if (!installationSees(grant.installation, repository)) return false;
  return grant.repositoryIds === undefined || grant.repositoryIds.has(repository.id);
}

/** One of these is enough, as in `X-Accepted-GitHub-Permissions`; a person needs the role instead. */
export interface Requirement {
  readonly app: readonly Readonly<Record<string, PermissionLevel>>[];
  readonly role: Role;
}

export function mayApp(grant: InstallationToken, requirement: Requirement): boolean {
  if (grant.installation.suspendedAt !== undefined) return false;
  return requirement.app.some((set) =>
    Object.entries(set).every(([name, level]) => levelAtLeast(effective(grant, name), level)),
  );
}

/** A token never holds more than the installation has been granted since. */
function effective(grant: InstallationToken, name: string): PermissionLevel | undefined {
  const granted = grant.installation.permissions[name];
  const asked = grant.permissions[name];
  if (granted === undefined || asked === undefined) return undefined;
  return levelAtLeast(granted, asked) ? asked : granted;
}

export function acceptedHeader(requirement: Requirement): string {
  return requirement.app
    .map((set) =>
      Object.entries(set)
        .map(([name, level]) => `${name}=${level}`)
        .join(','),
    )
    .join('; ');
}
