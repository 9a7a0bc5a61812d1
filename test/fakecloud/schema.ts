import type { Message } from './protobuf.ts';
import type { RPC } from './tfplugin6.ts';

type Mode = 'required' | 'optional' | 'computed';

/** Types are JSON of the cty type: for a string the eight bytes `"string"`, quotes included. */
const attribute = (name: string, type: unknown, mode: Mode, sensitive = false) => ({
  name,
  type: Buffer.from(JSON.stringify(type)),
  required: mode === 'required',
  optional: mode === 'optional',
  computed: mode === 'computed',
  sensitive,
});

const OBJECT_ATTRIBUTES = [
  attribute('id', 'string', 'computed'),
  attribute('name', 'string', 'required'),
  attribute('content', 'string', 'optional'),
  attribute('secret', 'string', 'optional', true),
  attribute('tags', ['map', 'string'], 'optional'),
  attribute('version', 'number', 'computed'),
  attribute('sleep_ms', 'number', 'optional'),
  attribute('fail_on_apply', 'bool', 'optional'),
];

/** With a list, a set and a set of objects, which JSON writes alike. */
const FIREWALL_ATTRIBUTES = [
  attribute('id', 'string', 'computed'),
  attribute('name', 'string', 'required'),
  attribute('zones', ['list', 'string'], 'optional'),
  attribute('groups', ['set', 'string'], 'optional'),
  attribute('rules', ['set', ['object', { port: 'number', cidr: 'string' }]], 'optional'),
  attribute('version', 'number', 'computed'),
];

const names = (attributes: readonly { readonly name: string }[]) => attributes.map(({ name }) => name);

/** All attributes of a type, and those that are kept in the live object; the rest is Terraform's or the test's. */
export const RESOURCE_TYPES: Readonly<
  Record<string, { readonly attributes: readonly string[]; readonly live: readonly string[] }>
> = {
  fakecloud_object: { attributes: names(OBJECT_ATTRIBUTES), live: ['name', 'content', 'secret', 'tags'] },
  fakecloud_firewall: { attributes: names(FIREWALL_ATTRIBUTES), live: ['name', 'zones', 'groups', 'rules'] },
};

export const SCHEMA: Message<(typeof RPC)['GetProviderSchema']['answer']> = {
  provider: {
    version: 0,
    block: {
      attributes: [
        attribute('dir', 'string', 'optional'),
        attribute('endpoint', 'string', 'optional'),
        attribute('token', 'string', 'optional', true),
      ],
    },
  },
  resource_schemas: {
    fakecloud_object: { version: 0, block: { attributes: OBJECT_ATTRIBUTES } },
    fakecloud_firewall: { version: 0, block: { attributes: FIREWALL_ATTRIBUTES } },
  },
  data_source_schemas: {
    fakecloud_object: {
      version: 0,
      block: {
        attributes: [
          attribute('name', 'string', 'required'),
          attribute('id', 'string', 'computed'),
          attribute('content', 'string', 'computed'),
          attribute('tags', ['map', 'string'], 'computed'),
        ],
      },
    },
    fakecloud_program: {
      version: 0,
      block: {
        attributes: [attribute('program', ['list', 'string'], 'required'), attribute('output', 'string', 'computed')],
      },
    },
  },
  server_capabilities: { plan_destroy: true, get_provider_schema_optional: true },
};
