import { readFileSync } from 'node:fs';
import addFormats from 'ajv-formats';
import type { Ajv } from 'ajv';
import { type Document, OpenAPIValidator } from 'openapi-backend';

export interface ServedOperation {
  readonly method: string;
  /** With `{name}` segments. */
  readonly path: string;
  readonly operation: string;
}

interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}

interface RawOperation {
  readonly operationId: string;
  readonly parameters?: readonly unknown[];
  readonly responses?: Readonly<Record<string, unknown>>;
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: unknown }>> };
}

interface RawDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Answers any operation may give, whether its description lists them or not. */
const UNLISTED = new Set([301, 304, 307, 401, 403, 404, 422, 429]);

/**
 * Puts shared parameters, answers and headers where they are referred to, because the validator looks for them there.
 * Schemas stay shared: they are referred to as `api#/components/schemas/NAME`, and Ajv compiles each once.
 */
function inline(node: unknown, document: RawDocument): void {
  if (typeof node !== 'object' || node === null) return;
  for (const [key, value] of Object.entries(node)) {
    const pointer = (value as { $ref?: unknown } | null)?.$ref;
    if (typeof pointer === 'string' && pointer.startsWith('#/components/')) {
      const [, , group = '', name = ''] = pointer.split('/');
      (node as Record<string, unknown>)[key] = document.components[group]?.[name];
    }
    inline((node as Record<string, unknown>)[key], document);
  }
}

/** Holds requests and our own answers against GitHub's published description; each operation is compiled when first used. */
export class ApiDescription {
  readonly operations: readonly ServedOperation[];
  readonly #document: RawDocument;
  readonly #ajvs = new Map<string, Ajv>();
  #validator: OpenAPIValidator | undefined;

  constructor() {
    const text = readFileSync(new URL('../openapi/github-api.json', import.meta.url), 'utf8');
    this.#document = JSON.parse(text.replaceAll('"#/components/schemas/', '"api#/components/schemas/')) as RawDocument;
    inline(this.#document, this.#document);
    this.operations = Object.entries(this.#document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        operation: operation.operationId,
      })),
    );
  }

  /** What is wrong with a request, one sentence each; parameters and body fields that GitHub does not know are wrong too. */
  checkRequest(operation: string, request: RawRequest): string[] {
    const problems = [...this.#unknownQuery(operation, request.query), ...this.#unknownFields(operation, request.body)];
    const { errors } = this.#compiled().validateRequest(
      { ...request, query: { ...request.query }, headers: { ...request.headers } },
      operation,
    );
    return [...problems, ...(errors ?? []).map(describe)];
  }

  /** What is wrong with an answer of ours. A status the description does not list is wrong, 401, 403, 404, 422 and 5xx apart. */
  checkAnswer(operation: string, status: number, body: unknown): string[] {
    if (status === 304 || status === 204) return [];
    const listed = this.#find(operation)?.responses ?? {};
    if (!(status in listed) && !UNLISTED.has(status) && status < 500) return [`GitHub does not answer ${status} here.`];
    const { errors } = this.#compiled().validateResponse(body, operation, status);
    return (errors ?? []).map(describe);
  }

  #compiled(): OpenAPIValidator {
    this.#validator ??= new OpenAPIValidator({
      definition: this.#document as unknown as Document,
      lazyCompileValidators: true,
      coerceTypes: true,
      ajvOpts: { strict: false, allErrors: false, coerceTypes: false },
      customizeAjv: (ajv: Ajv, options: unknown) => this.#share(ajv, options),
    });
    return this.#validator;
  }

  /** One Ajv per set of options, so that a shared schema is compiled once and not once an operation. */
  #share(ajv: Ajv, options: unknown): Ajv {
    const key = JSON.stringify(options, (_name, value: unknown) => (typeof value === 'function' ? undefined : value));
    const known = this.#ajvs.get(key);
    if (known !== undefined) return known;
    addFormats.default(ajv, ['date', 'date-time', 'time', 'email', 'ipv4', 'ipv6', 'uri', 'uuid', 'regex']);
    for (const format of ['repo.nwo', 'timestamp', 'ssh-key', 'hostname', 'uri-template']) ajv.addFormat(format, true);
    ajv.addSchema({ components: this.#document.components }, 'api');
    this.#ajvs.set(key, ajv);
    return ajv;
  }

  #resolve(node: unknown): Record<string, unknown> {
    const object = (node ?? {}) as Record<string, unknown>;
    const pointer = object['$ref'];
    if (typeof pointer !== 'string') return object;
    const [, , group = '', name = ''] = pointer.split('/');
    return this.#resolve(this.#document.components[group]?.[name]);
  }

  #find(operation: string): RawOperation | undefined {
    for (const item of Object.values(this.#document.paths)) {
      for (const candidate of Object.values(item)) if (candidate.operationId === operation) return candidate;
    }
    return undefined;
  }

  #unknownQuery(operation: string, query: Readonly<Record<string, string>>): string[] {
    const known = (this.#find(operation)?.parameters ?? []).map((parameter) => this.#resolve(parameter));
    const names = known.filter((parameter) => parameter['in'] === 'query').map((parameter) => parameter['name']);
    return Object.keys(query)
      .filter((name) => !names.includes(name))
      .map((name) => `GitHub knows no query parameter "${name}" here.`);
  }

  #unknownFields(operation: string, body: unknown): string[] {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return [];
    const content = this.#find(operation)?.requestBody?.content?.['application/json'];
    const schema = this.#resolve(content?.schema);
    const properties = schema['properties'];
    if (content === undefined) return Object.keys(body).length === 0 ? [] : ['GitHub takes no body here.'];
    if (properties === undefined) return [];
    return Object.keys(body)
      .filter((name) => !(name in (properties as object)))
      .map((name) => `GitHub knows no field "${name}" here.`);
  }
}

let shared: ApiDescription | undefined;

/** One for all servers of a process: it holds no state but what it has compiled. */
export function publishedDescription(): ApiDescription {
  shared ??= new ApiDescription();
  return shared;
}

function describe(error: { instancePath?: string; message?: string; params?: unknown }): string {
  return `${error.instancePath ?? ''} ${error.message ?? 'is invalid'} ${JSON.stringify(error.params ?? {})}`.trim();
}
