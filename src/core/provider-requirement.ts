import { isObject, listBlocks, listLabelled, literalText, plainText } from './configuration-body.ts';
import type { JsonObject, JsonValue, TerraformDistribution } from './configuration-file.ts';

export interface ProviderRequirement {
  /** The name the module uses: `aws`. */
  readonly name: string;
  /** The full address: `registry.terraform.io/hashicorp/aws`, with the distribution's own registry host where none is written. */
  readonly source: string;
  /** Version constraints as written, one per declaration; empty when any version will do. */
  readonly versions: readonly string[];
  /** False when nothing but the use of a resource, data source or provider block implies it. */
  readonly declared: boolean;
}

const REGISTRY: Record<TerraformDistribution, string> = {
  terraform: 'registry.terraform.io',
  opentofu: 'registry.opentofu.org',
};

/** Built into the program itself, so nothing is ever installed for it. */
const BUILT_IN = 'terraform.io/builtin/terraform';

/** The full address of a provider source as written in `required_providers`: one, two or three parts. */
export function providerAddress(source: string, distribution: TerraformDistribution): string {
  const parts = source.toLowerCase().split('/');
  if (parts.length === 1) return `${REGISTRY[distribution]}/hashicorp/${parts[0]}`;
  if (parts.length === 2) return `${REGISTRY[distribution]}/${parts.join('/')}`;
  return parts.join('/');
}

/**
 * The providers one directory needs: those in `required_providers`, and those that a resource type's first word, a
 * `provider` meta-argument or a provider block implies.
 */
export function findProviders(
  bodies: readonly JsonObject[],
  distribution: TerraformDistribution,
): readonly ProviderRequirement[] {
  const needed = new Map<string, { source: string; versions: string[]; declared: boolean }>();
  const declare = (name: string, source: string | undefined, version: string | undefined) => {
    const known = needed.get(name) ?? { source: providerAddress(name, distribution), versions: [], declared: false };
    if (source !== undefined) known.source = providerAddress(source, distribution);
    if (version !== undefined && !known.versions.includes(version)) known.versions.push(version);
    known.declared = true;
    needed.set(name, known);
  };
  for (const body of bodies) for (const entry of listDeclared(body)) declare(...entry);
  for (const body of bodies) {
    for (const name of listImplied(body)) {
      if (needed.has(name)) continue;
      const source = name === 'terraform' ? BUILT_IN : providerAddress(name, distribution);
      needed.set(name, { source, versions: [], declared: false });
    }
    addBlockVersions(body, needed);
  }
  return [...needed]
    .filter(([, provider]) => provider.source !== BUILT_IN)
    .map(([name, provider]) => ({ name, ...provider }));
}

function listDeclared(body: JsonObject): readonly (readonly [string, string | undefined, string | undefined])[] {
  return listBlocks(body, 'terraform')
    .flatMap((block) => listBlocks(block, 'required_providers'))
    .flatMap((providers) => Object.entries(providers))
    .map(([name, value]) => [name, ...readDeclaration(value)] as const);
}

/** `aws = "~> 5.0"` is the old form of `aws = { version = "~> 5.0" }`. */
function readDeclaration(value: JsonValue): readonly [string | undefined, string | undefined] {
  if (typeof value === 'string') return [undefined, value];
  return isObject(value) ? [literalText(value, 'source'), literalText(value, 'version')] : [undefined, undefined];
}

function listImplied(body: JsonObject): Set<string> {
  const names = new Set(listLabelled(body, 'provider').map(([name]) => name));
  for (const kind of ['resource', 'data', 'ephemeral']) {
    for (const [type, byName] of listLabelled(body, kind)) {
      for (const [, block] of listLabelled({ [type]: byName }, type)) names.add(impliedName(type, block));
    }
  }
  names.delete('');
  return names;
}

/** `provider = google-beta.east`, in JSON a plain text, names the provider; else the type's first word does. */
function impliedName(type: string, block: JsonObject): string {
  const chosen = plainText(block, 'provider');
  if (chosen === undefined) return type.split('_')[0] ?? '';
  const reference = chosen.startsWith('${') ? chosen.slice(2, -1) : chosen;
  return reference.trim().split(/[.[]/)[0] ?? '';
}

/** `version` in a provider block: deprecated, still honoured. */
function addBlockVersions(body: JsonObject, needed: Map<string, { versions: string[] }>): void {
  for (const [name, block] of listLabelled(body, 'provider')) {
    const version = literalText(block, 'version');
    const known = needed.get(name)?.versions;
    if (version !== undefined && known && !known.includes(version)) known.push(version);
  }
}
