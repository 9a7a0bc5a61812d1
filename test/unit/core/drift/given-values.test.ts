import { describe, expect, test } from 'vitest';
import {
  givenValue,
  isLiterally,
  readGivenValues,
  valueAt,
  withoutKeys,
} from '../../../../src/core/drift/given-values.ts';
import { parsePlanJson } from '../../../../src/core/plan-json.ts';
import { planFixture } from '../../../support/plan-fixture.ts';

const plan = (configuration: unknown) =>
  readGivenValues(parsePlanJson(JSON.stringify({ format_version: '1.2', configuration })));
const NOTHING = { kind: 'nothing' };
const EXPRESSION = { kind: 'expression' };
const literal = (value: unknown) => ({ kind: 'literal', value });

describe('what the code says of an attribute', () => {
  const expressions = {
    name: { constant_value: 'a' },
    content: { references: ['var.x'] },
    nothing: {},
    tags: { constant_value: { team: 'x', deep: { er: [1] } } },
    rules: { constant_value: [{ port: 80 }, { cidr: '10.0.0.0/8' }] },
    block: [{ port: { constant_value: 1 } }, { cidr: { references: ['local.y'] } }],
    none: [],
    single: { size: { constant_value: 2 }, inner: [{ a: { constant_value: 3 } }] },
  };
  const given = plan({ root_module: { resources: [{ address: 'x.a', expressions }] } });

  test.each([
    [['name'], literal('a')],
    [['name', 'deeper'], NOTHING],
    [['content'], EXPRESSION],
    [['content', 'deeper'], EXPRESSION],
    [['nothing'], EXPRESSION],
    [['id'], NOTHING],
    [['toString'], NOTHING],
    [['tags'], literal({ team: 'x', deep: { er: [1] } })],
    [['tags', 'team'], literal('x')],
    [['tags', 'owner'], NOTHING],
    [['tags', 'deep', 'er'], literal([1])],
    [['rules'], literal([{ port: 80 }, { cidr: '10.0.0.0/8' }])],
    [['rules', 'port'], EXPRESSION],
    [['rules', 'id'], NOTHING],
    [['block'], EXPRESSION],
    [['block', 'port'], EXPRESSION],
    [['block', 'cidr'], EXPRESSION],
    [['block', 'id'], NOTHING],
    [['none'], NOTHING],
    [['single', 'size'], literal(2)],
    [['single', 'id'], NOTHING],
    [['single', 'inner', 'a'], EXPRESSION],
    [['single', 'inner', 'b'], NOTHING],
    [[], EXPRESSION],
  ])('%j', (names, what) => expect(givenValue(given, 'x.a', names)).toEqual(what));

  test('of a resource of which nothing is known', () => {
    expect(givenValue(given, 'x.b', ['name'])).toEqual(NOTHING);
  });

  test('of every instance, in modules too', () => {
    const expressionsOf = (value: string) => ({ name: { constant_value: value } });
    const child = { resources: [{ address: 'x.a', expressions: expressionsOf('inner') }] };
    const nested = plan({
      root_module: {
        resources: [{ address: 'x.a', expressions: expressionsOf('outer') }],
        module_calls: { m: { module: { ...child, module_calls: { n: { module: child } } } } },
      },
    });
    expect(givenValue(nested, 'x.a["k"]', ['name'])).toEqual(literal('outer'));
    expect(givenValue(nested, 'module.m["a]b"].x.a[3]', ['name'])).toEqual(literal('inner'));
    expect(givenValue(nested, 'module.m[0].module.n.x.a', ['name'])).toEqual(literal('inner'));
    expect(givenValue(nested, 'module.o.x.a', ['name'])).toEqual(NOTHING);
  });

  test.each([
    [undefined],
    [null],
    [[]],
    [{ root_module: [] }],
    [{ root_module: { resources: {}, module_calls: [1] } }],
  ])('nothing of what is not as documented: %j', (configuration) => expect([...plan(configuration)]).toEqual([]));

  test('as Terraform writes it', () => {
    const real = readGivenValues(planFixture('create'));
    expect(givenValue(real, 'fakecloud_object.a', ['tags', 'dotted.key'])).toEqual(literal('y'));
    expect(givenValue(real, 'fakecloud_object.b', ['content'])).toEqual(EXPRESSION);
    expect(givenValue(real, 'fakecloud_object.b', ['version'])).toEqual(NOTHING);
    expect(givenValue(real, 'module.child.terraform_data.child', ['input'])).toEqual(literal('x'));
  });
});

test.each([
  ['a.b', 'a.b'],
  ['a.b[0]', 'a.b'],
  ['a.b["x"]', 'a.b'],
  ['module.m["a\\"].c"].a.b[10]', 'module.m.a.b'],
  ['module.m["[0]"].data.a.b', 'module.m.data.a.b'],
])('%s without keys is %s', (address, without) => expect(withoutKeys(address)).toBe(without));

test.each([
  ['80', 80, true],
  [true, 'true', true],
  [1, 2, false],
  [null, null, true],
  [null, undefined, true],
  [null, '', false],
  ['', '', true],
  [['a', 'b'], ['b', 'a'], true],
  [['a', 'b'], ['b', 'b'], false],
  [['a'], ['a', 'a'], false],
  [[{ p: 1 }, { p: 2 }], [{ p: '2', q: null }, { p: '1' }], true],
  [{ a: 1 }, { a: '1', b: null }, true],
  [{ a: 1 }, { b: null }, false],
  [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
  [{ a: 1 }, { a: 1, b: 2 }, false],
  [[], {}, false],
])('the literal %j gives %j: %s', (value, found, gives) => expect(isLiterally(value, found)).toBe(gives));

test.each([
  [{ a: { b: 1 } }, ['a', 'b'], 1],
  [{ a: { b: 1 } }, [], { a: { b: 1 } }],
  [{ a: [1] }, ['a', '0'], undefined],
  [null, ['a'], undefined],
  [{}, ['constructor'], undefined],
])('in %j at %j is %j', (value, names, found) => expect(valueAt(value, names)).toEqual(found));
