/**
 * Cuts the part of GitHub's published OpenAPI description that this server serves:
 *
 *   npm install --prefix /tmp/openapi --ignore-scripts @octokit/openapi@23.0.2   (385 MB, therefore not a dependency)
 *   node test/servers/github/openapi/cut.mjs /tmp/openapi/node_modules/@octokit/openapi/generated/api.github.com.json
 *
 * Writes github-api.json (operations with only the components they reach) and github-webhooks.json (schemas of the
 * webhook payloads it sends) beside itself. Descriptions go; examples stay, because they are replayed in tests.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { OPERATIONS, WEBHOOKS } from './served.mjs';

const [source] = process.argv.slice(2);
if (source === undefined) throw new Error('Name the api.github.com.json of @octokit/openapi.');
const full = JSON.parse(readFileSync(source, 'utf8'));
/** Here the description asks for an account that is a user *and* an enterprise; the single-installation answers have it right. */
full.paths['/app/installations'].get.responses['200'].content['application/json'].schema.items = {
  $ref: '#/components/schemas/installation',
};
/** The head's repository is null when the fork was deleted; the webhook schemas say so, these two do not. */
for (const name of ['pull-request', 'pull-request-simple']) {
  const { head } = full.components.schemas[name].properties;
  head.properties.repo = { nullable: true, anyOf: [head.properties.repo] };
}
const DROPPED = new Set(['description', 'externalDocs', 'x-github', 'tags', 'summary', 'x-octokit']);

/** `names` is true where keys are names (properties, examples), so that a property called "description" survives. */
function strip(node, keepExamples, names = false) {
  if (Array.isArray(node)) return node.map((item) => strip(item, keepExamples));
  if (node === null || typeof node !== 'object') return node;
  const kept = {};
  for (const [key, value] of Object.entries(node)) {
    if (!names && DROPPED.has(key)) continue;
    if (!names && !keepExamples && (key === 'example' || key === 'examples')) continue;
    if (!names && (key === 'example' || key === 'examples' || key === 'value' || key === 'enum' || key === 'default')) {
      kept[key] = value;
      continue;
    }
    kept[key] = strip(value, keepExamples, !names && (key === 'properties' || key === 'schemas'));
  }
  return names ? kept : withNull(kept);
}

/** OpenAPI's `nullable` beside a reference or a choice means nothing to JSON Schema validators; a choice of null does. */
function withNull(schema) {
  if (schema.nullable !== true) return schema;
  if (schema.enum !== undefined && !schema.enum.includes(null)) return { ...schema, enum: [...schema.enum, null] };
  if (schema.type !== undefined) return schema;
  const { nullable: _nullable, ...rest } = schema;
  return { anyOf: [{ enum: [null] }, rest] };
}

function lookUp(pointer) {
  return pointer
    .slice(2)
    .split('/')
    .reduce((node, key) => node[key.replaceAll('~1', '/').replaceAll('~0', '~')], full);
}

function reach(node, components, keepExamples) {
  if (Array.isArray(node)) for (const item of node) reach(item, components, keepExamples);
  else if (node !== null && typeof node === 'object') {
    if (typeof node.$ref === 'string' && node.$ref.startsWith('#/components/')) {
      const [, , group, name] = node.$ref.split('/');
      components[group] ??= {};
      if (components[group][name] === undefined) {
        components[group][name] = strip(lookUp(node.$ref), keepExamples && group === 'examples');
        reach(components[group][name], components, keepExamples);
      }
    }
    for (const value of Object.values(node)) reach(value, components, keepExamples);
  }
}

function cutOperations() {
  const paths = {};
  const components = {};
  const wanted = new Set(OPERATIONS);
  for (const [path, item] of Object.entries(full.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      if (!wanted.delete(operation.operationId)) continue;
      paths[path] ??= {};
      paths[path][method] = strip(operation, true);
    }
  }
  if (wanted.size > 0) throw new Error(`Not in the description: ${[...wanted].join(', ')}`);
  reach(paths, components, true);
  return { openapi: '3.0.3', info: { title: full.info.title, version: full.info.version }, paths, components };
}

function cutWebhooks() {
  const schemas = {};
  const components = {};
  for (const name of WEBHOOKS) {
    const webhook = full['x-webhooks'][name];
    if (webhook === undefined) throw new Error(`No webhook ${name} in the description.`);
    schemas[name] = strip(webhook.post.requestBody.content['application/json'].schema, false);
  }
  reach(schemas, components, false);
  return { webhooks: schemas, components };
}

const write = (name, value) => writeFileSync(new URL(name, import.meta.url), `${JSON.stringify(value)}\n`);
write('github-api.json', cutOperations());
write('github-webhooks.json', cutWebhooks());
