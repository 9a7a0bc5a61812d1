import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Cloud, directoryCloud, httpCloud } from './cloud.ts';
import { dueFault, type FaultPoint } from './faults.ts';
import { decode, encode, type Message, type Shape } from './protobuf.ts';
import { RESOURCE_TYPES, SCHEMA } from './schema.ts';
import { type diagnostic, RPC, type RpcName } from './tfplugin6.ts';
import { type Attributes, fromDynamic, isUnknown, toDynamic, UNKNOWN } from './values.ts';

type Diagnostic = Message<typeof diagnostic>;
type Request<N extends RpcName> = Message<(typeof RPC)[N]['request']>;
type Answer<N extends RpcName> = Message<(typeof RPC)[N]['answer']>;
type Handlers = { readonly [N in RpcName]: (request: Request<N>) => Promise<Answer<N>> };

const ERROR = 1;
const WARNING = 2;

function error(summary: string, detail: string, attribute?: string): Diagnostic {
  const path = attribute === undefined ? {} : { attribute: { steps: [{ attribute_name: attribute }] } };
  return { severity: ERROR, summary, detail, ...path };
}

function failed(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ severity }) => severity === ERROR);
}

/**
 * A cloud of named objects for tests: `fakecloud_object` as a resource and as a data source, and `fakecloud_program`, a data source
 * that runs a program at plan time as the well-known `external` does.
 */
export class FakecloudProvider {
  readonly #environment: NodeJS.ProcessEnv;
  #cloud: Cloud | undefined;
  #directory: string | undefined;
  #stopped = new AbortController();

  constructor(environment: NodeJS.ProcessEnv) {
    this.#environment = environment;
  }

  readonly handlers: Handlers = {
    GetProviderSchema: async () => SCHEMA,
    ValidateProviderConfig: async () => ({}),
    ConfigureProvider: (request) => this.#configure(request),
    ValidateResourceConfig: async (request) => validateObject(request),
    ValidateDataResourceConfig: async () => ({}),
    UpgradeResourceState: async (request) => upgradeState(request),
    ReadResource: (request) => this.#read(request),
    PlanResourceChange: (request) => this.#plan(request),
    ApplyResourceChange: (request) => this.#apply(request),
    ImportResourceState: (request) => this.#import(request),
    ReadDataSource: (request) => this.#readData(request),
    StopProvider: async () => {
      this.#stopped.abort();
      return {};
    },
  };

  async #configure(request: Request<'ConfigureProvider'>): Promise<Answer<'ConfigureProvider'>> {
    this.#stopped = new AbortController();
    const config = fromDynamic(request.config) ?? {};
    const endpoint = text(config['endpoint']) ?? this.#environment['FAKECLOUD_ENDPOINT'];
    this.#directory = text(config['dir']) ?? this.#environment['FAKECLOUD_DIR'];
    if (endpoint !== undefined) this.#cloud = httpCloud(endpoint, text(config['token']));
    else if (this.#directory !== undefined) this.#cloud = directoryCloud(this.#directory);
    else {
      const detail = 'Set "dir" or "endpoint", or FAKECLOUD_DIR or FAKECLOUD_ENDPOINT.';
      return { diagnostics: [error('No cloud configured', detail)] };
    }
    return { diagnostics: await this.#fault('configure', '') };
  }

  async #read(request: Request<'ReadResource'>): Promise<Answer<'ReadResource'>> {
    const state = fromDynamic(request.current_state) ?? {};
    const diagnostics = await this.#fault('read', String(state['name']));
    const unchanged = { new_state: request.current_state, private: request.private, diagnostics };
    if (failed(diagnostics)) return unchanged;
    const live = await this.#live().get(String(state['id']));
    if (live === null) return { new_state: toDynamic(null), diagnostics };
    return {
      ...unchanged,
      new_state: toDynamic({ ...state, ...liveAttributes(request, live), version: live.version }),
    };
  }

  async #plan(request: Request<'PlanResourceChange'>): Promise<Answer<'PlanResourceChange'>> {
    const prior = fromDynamic(request.prior_state);
    const proposed = fromDynamic(request.proposed_new_state);
    const diagnostics = await this.#fault('plan', String((proposed ?? prior)?.['name']));
    const answer = { planned_private: request.prior_private, diagnostics };
    if (proposed === null || failed(diagnostics)) return { ...answer, planned_state: toDynamic(proposed) };
    if (prior === null) return { ...answer, planned_state: toDynamic({ ...proposed, id: UNKNOWN, version: UNKNOWN }) };
    const renamed = differs(prior['name'], proposed['name']);
    const changed = typeOf(request).live.some((name) => differs(prior[name], proposed[name]));
    return {
      ...answer,
      planned_state: toDynamic({
        ...proposed,
        ...(renamed ? { id: UNKNOWN } : {}),
        ...(changed ? { version: UNKNOWN } : {}),
      }),
      ...(renamed ? { requires_replace: [{ steps: [{ attribute_name: 'name' }] }] } : {}),
    };
  }

  async #apply(request: Request<'ApplyResourceChange'>): Promise<Answer<'ApplyResourceChange'>> {
    const prior = fromDynamic(request.prior_state);
    const planned = fromDynamic(request.planned_state);
    const op = prior === null ? 'create' : planned === null ? 'delete' : 'update';
    const object = planned ?? prior ?? {};
    const name = String(object['name']);
    const unchanged = (diagnostics: readonly Diagnostic[]) => ({ new_state: toDynamic(prior), diagnostics });

    const diagnostics = await this.#fault(op, name);
    if (failed(diagnostics)) return unchanged(diagnostics);
    const sleep = Number(object['sleep_ms'] ?? 0);
    if (!(await this.#sleep(sleep))) return unchanged([interrupted(op, name)]);
    if (planned?.['fail_on_apply'] === true) {
      return unchanged([error(`fakecloud: ${op} refused`, `${op} of "${name}" failed because fail_on_apply is set.`)]);
    }
    if (planned === null) {
      await this.#live().remove(String(prior?.['id']));
      return { new_state: toDynamic(null), diagnostics };
    }
    if (op === 'create' && (await this.#live().get(name)) !== null) {
      return unchanged([error('Object already exists', `An object named "${name}" exists; import it instead.`)]);
    }
    const version = nextVersion(prior, planned);
    await this.#live().put({ ...liveAttributes(request, planned), name, version });
    const after = await this.#fault(op === 'create' ? 'after_create' : 'after_update', name);
    return { new_state: toDynamic({ ...planned, id: name, version }), diagnostics: [...diagnostics, ...after] };
  }

  async #import(request: Request<'ImportResourceState'>): Promise<Answer<'ImportResourceState'>> {
    const id = request.id ?? '';
    const live = await this.#live().get(id);
    if (live === null) {
      return { diagnostics: [error('Cannot import non-existent remote object', `No object "${id}".`)] };
    }
    const state = toDynamic({ ...noAttributes(request), ...liveAttributes(request, live), id, version: live.version });
    return { imported_resources: [{ type_name: request.type_name ?? '', state }] };
  }

  async #readData(request: Request<'ReadDataSource'>): Promise<Answer<'ReadDataSource'>> {
    const config = fromDynamic(request.config) ?? {};
    if (request.type_name === 'fakecloud_program') return runProgram(config['program'] as string[]);
    const name = String(config['name']);
    const diagnostics = await this.#fault('data', name);
    if (failed(diagnostics)) return { diagnostics };
    const live = await this.#live().get(name);
    if (live === null) return { diagnostics: [error('Object not found', `No object "${name}".`, 'name')] };
    const state = toDynamic({ name, id: name, content: live.content ?? null, tags: live.tags ?? null });
    return { state, diagnostics };
  }

  #live(): Cloud {
    if (this.#cloud === undefined) throw new Error('the provider was not configured');
    return this.#cloud;
  }

  /** False when Terraform asked to stop meanwhile. */
  async #sleep(milliseconds: number): Promise<boolean> {
    const { signal } = this.#stopped;
    if (signal.aborted || milliseconds <= 0) return !signal.aborted;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(true), milliseconds);
      signal.addEventListener('abort', () => resolve(clearTimeout(timer) !== undefined), { once: true });
    });
  }

  async #fault(op: FaultPoint, name: string): Promise<readonly Diagnostic[]> {
    const fault = this.#directory === undefined ? undefined : dueFault(this.#directory, op, name);
    if (fault === undefined) return [];
    if (fault.delay_ms !== undefined && !(await this.#sleep(fault.delay_ms))) return [interrupted(op, name)];
    if (fault.hang) await new Promise(() => {});
    if (fault.crash) {
      process.stderr.write(`panic: simulated crash in ${op}\n\ngoroutine 1 [running]:\nmain.main()\n`);
      process.exit(2);
    }
    if (fault.error !== undefined) return [error(fault.error, fault.detail ?? `Simulated ${op} fault for ${name}.`)];
    if (fault.warning !== undefined) {
      return [{ severity: WARNING, summary: fault.warning, detail: fault.detail ?? '' }];
    }
    return [];
  }
}

function validateObject(request: Request<'ValidateResourceConfig'>): Answer<'ValidateResourceConfig'> {
  const name = fromDynamic(request.config)?.['name'];
  if (typeof name !== 'string' || !name.startsWith('.')) return {};
  return { diagnostics: [error('Invalid name', 'name must not start with a dot.', 'name')] };
}

function upgradeState(request: Request<'UpgradeResourceState'>): Answer<'UpgradeResourceState'> {
  const json = Buffer.from(request.raw_state?.json ?? []).toString('utf8');
  const stored = JSON.parse(json) as Attributes;
  const known = typeOf(request).attributes.map((name) => [name, stored[name] ?? null] as const);
  return { upgraded_state: toDynamic(Object.fromEntries(known)) };
}

async function runProgram(program: readonly string[]): Promise<Answer<'ReadDataSource'>> {
  const [file = '', ...args] = program;
  try {
    const { stdout } = await promisify(execFile)(file, args, { maxBuffer: 16 * 1024 * 1024 });
    return { state: toDynamic({ program, output: stdout }) };
  } catch (cause) {
    return { diagnostics: [error('The program failed', String(cause), 'program')] };
  }
}

function interrupted(op: string, name: string): Diagnostic {
  return error('Operation cancelled', `${op} of ${name} was interrupted by a stop request.`);
}

function nextVersion(prior: Attributes | null, planned: Attributes): number {
  if (prior === null) return 1;
  return isUnknown(planned['version']) ? Number(prior['version'] ?? 0) + 1 : Number(planned['version']);
}

function differs(left: unknown, right: unknown): boolean {
  return isUnknown(right) || JSON.stringify(left ?? null) !== JSON.stringify(right ?? null);
}

interface Typed {
  readonly type_name?: string | undefined;
}

function typeOf({ type_name = '' }: Typed): (typeof RESOURCE_TYPES)[string] {
  const type = RESOURCE_TYPES[type_name];
  if (type === undefined) throw new Error(`there is no resource type ${type_name}`);
  return type;
}

function noAttributes(request: Typed): Attributes {
  return Object.fromEntries(typeOf(request).attributes.map((name) => [name, null]));
}

function liveAttributes(request: Typed, from: Attributes): Attributes {
  return Object.fromEntries(typeOf(request).live.map((name) => [name, from[name] ?? null]));
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Answers one call by its gRPC path; undefined when there is no such method. An exception becomes an error diagnostic. */
export function rpcHandler(
  provider: FakecloudProvider,
  path: string,
): ((request: Uint8Array) => Promise<Buffer>) | undefined {
  const name = /^\/tfplugin6\.Provider\/(\w+)$/.exec(path)?.[1];
  if (name === undefined || !Object.hasOwn(RPC, name)) return undefined;
  const { request, answer } = RPC[name as RpcName] as { readonly request: Shape; readonly answer: Shape };
  const handle = provider.handlers[name as RpcName] as (request: object) => Promise<object>;
  return async (input) => {
    const asked = decode(request, input) as { readonly current_state?: unknown; readonly prior_state?: unknown };
    try {
      return encode(answer, (await handle(asked)) as Record<string, unknown>);
    } catch (cause) {
      const diagnostics = [error(`fakecloud: ${name} failed`, String(cause))];
      return encode(answer, { diagnostics, new_state: asked.current_state ?? asked.prior_state });
    }
  };
}
