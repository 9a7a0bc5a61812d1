import { bool, bytes, int, map, message, repeated, type Shape, string } from './protobuf.ts';

/**
 * The part of Terraform's plugin protocol 6 that a small provider needs.
 * Field numbers are those of `docs/plugin-protocol/tfplugin6.9.proto` in hashicorp/terraform.
 */
export const dynamicValue = { msgpack: bytes(1), json: bytes(2) };
const attributePath = { steps: repeated(message(1, { attribute_name: string(1) })) };
export const diagnostic = {
  severity: int(1),
  summary: string(2),
  detail: string(3),
  attribute: message(4, attributePath),
};
const attribute = {
  name: string(1),
  type: bytes(2),
  description: string(3),
  required: bool(4),
  optional: bool(5),
  computed: bool(6),
  sensitive: bool(7),
};
const schema = {
  version: int(1),
  block: message(2, { version: int(1), attributes: repeated(message(2, attribute)) }),
};
const capabilities = { plan_destroy: bool(1), get_provider_schema_optional: bool(2) };

const value = (number: number) => message(number, dynamicValue);
const diagnostics = (number: number) => repeated(message(number, diagnostic));
const call = <Q extends Shape, A extends Shape>(request: Q, answer: A) => ({ request, answer });

export const RPC = {
  GetProviderSchema: call(
    {},
    {
      provider: message(1, schema),
      resource_schemas: map(message(2, schema)),
      data_source_schemas: map(message(3, schema)),
      diagnostics: diagnostics(4),
      server_capabilities: message(6, capabilities),
    },
  ),
  ValidateProviderConfig: call({ config: value(1) }, { diagnostics: diagnostics(2) }),
  ConfigureProvider: call({ terraform_version: string(1), config: value(2) }, { diagnostics: diagnostics(1) }),
  ValidateResourceConfig: call({ type_name: string(1), config: value(2) }, { diagnostics: diagnostics(1) }),
  ValidateDataResourceConfig: call({ type_name: string(1), config: value(2) }, { diagnostics: diagnostics(1) }),
  UpgradeResourceState: call(
    { type_name: string(1), version: int(2), raw_state: message(3, { json: bytes(1) }) },
    { upgraded_state: value(1), diagnostics: diagnostics(2) },
  ),
  ReadResource: call(
    { type_name: string(1), current_state: value(2), private: bytes(3) },
    { new_state: value(1), diagnostics: diagnostics(2), private: bytes(3) },
  ),
  PlanResourceChange: call(
    {
      type_name: string(1),
      prior_state: value(2),
      proposed_new_state: value(3),
      config: value(4),
      prior_private: bytes(5),
    },
    {
      planned_state: value(1),
      requires_replace: repeated(message(2, attributePath)),
      planned_private: bytes(3),
      diagnostics: diagnostics(4),
    },
  ),
  ApplyResourceChange: call(
    {
      type_name: string(1),
      prior_state: value(2),
      planned_state: value(3),
      config: value(4),
      planned_private: bytes(5),
    },
    { new_state: value(1), private: bytes(2), diagnostics: diagnostics(3) },
  ),
  ImportResourceState: call(
    { type_name: string(1), id: string(2) },
    {
      imported_resources: repeated(message(1, { type_name: string(1), state: value(2), private: bytes(3) })),
      diagnostics: diagnostics(2),
    },
  ),
  ReadDataSource: call({ type_name: string(1), config: value(2) }, { state: value(1), diagnostics: diagnostics(2) }),
  StopProvider: call({}, { Error: string(1) }),
} as const;

export type RpcName = keyof typeof RPC;
