import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { valueForSchema } from './schema-value.ts';

const hints = {
  question: 'How many of the 12 flights to New York are late?',
  answer: () => 'Three.',
  label: undefined,
};
const make = (schema: Record<string, unknown>): unknown => valueForSchema(schema, hints);

/** Whether a value satisfies the keywords that the generated schemas below use. */
// biome-ignore lint/suspicious/noExplicitAny: a validator looks into anything
function satisfies(schema: Record<string, any>, value: any): boolean {
  if (schema.anyOf !== undefined) return schema.anyOf.some((choice: object) => satisfies(choice, value));
  if ('const' in schema) return value === schema.const;
  if (schema.enum !== undefined) return schema.enum.includes(value);
  switch (schema.type) {
    case 'object':
      return (
        schema.required.every((name: string) => name in value) &&
        Object.keys(value).every((name) => satisfies(schema.properties[name] ?? {}, value[name]))
      );
    case 'array':
      return (
        value.length >= (schema.minItems ?? 0) &&
        value.length <= (schema.maxItems ?? Number.POSITIVE_INFINITY) &&
        value.every((item: unknown) => satisfies(schema.items, item))
      );
    case 'string':
      return (
        typeof value === 'string' &&
        value.length >= (schema.minLength ?? 0) &&
        value.length <= (schema.maxLength ?? 1e9)
      );
    case 'integer':
    case 'number':
      return (
        typeof value === 'number' &&
        (schema.type === 'number' || Number.isInteger(value)) &&
        value >= (schema.minimum ?? value) &&
        value <= (schema.maximum ?? value) &&
        value > (schema.exclusiveMinimum ?? value - 1) &&
        value < (schema.exclusiveMaximum ?? value + 1)
      );
    default:
      return typeof value === schema.type;
  }
}

const name = fc
  .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 6 })
  .filter((text) => text !== '__proto__');
const bounds = (low: string, high: string, gap: number): fc.Arbitrary<object> =>
  fc
    .tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: gap, max: 20 }))
    .map(([min, extra]) => ({ [low]: min, [high]: min + extra }));
const { schema } = fc.letrec<{ schema: Record<string, unknown> }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4 },
    fc.constant({ type: 'boolean' }),
    fc.record({ const: fc.oneof(fc.string(), fc.integer()) }, { noNullPrototype: true }),
    fc.record({ enum: fc.array(fc.string(), { minLength: 1, maxLength: 3 }) }, { noNullPrototype: true }),
    fc
      .tuple(
        fc.constantFrom('integer', 'number'),
        fc.oneof(
          bounds('minimum', 'maximum', 0),
          bounds('exclusiveMinimum', 'exclusiveMaximum', 2),
          fc.constant({}),
        ),
      )
      .map(([type, limit]) => ({ type, ...limit })),
    fc
      .tuple(fc.nat(10), fc.nat(10))
      .map(([min, more]) => ({ type: 'string', minLength: min, maxLength: min + more })),
    fc
      .tuple(tie('schema'), fc.nat(3), fc.nat(3))
      .map(([items, min, more]) => ({ type: 'array', items, minItems: min, maxItems: min + more })),
    fc.dictionary(name, tie('schema'), { maxKeys: 4, noNullPrototype: true }).map((properties) => ({
      type: 'object',
      properties,
      required: Object.keys(properties),
      additionalProperties: false,
    })),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
  ),
}));

describe('valueForSchema', () => {
  test('satisfies any schema of these kinds, and survives JSON', () => {
    fc.assert(
      fc.property(schema, (each) => {
        const value = make(each);
        expect(satisfies(each, value)).toBe(true);
        expect(JSON.parse(JSON.stringify(value))).toEqual(value);
        expect(make(each)).toEqual(value);
      }),
      { numRuns: 300 },
    );
  });

  test('takes from the question what fits', () => {
    const properties = {
      destination: { type: 'string' },
      count: { type: 'integer' },
      status: { enum: ['early', 'late'] },
      answer: { type: 'string' },
      score: { type: 'number', minimum: 0, maximum: 10 },
    };
    expect(make({ type: 'object', properties })).toEqual({
      destination: 'New York',
      count: 12,
      status: 'late',
      answer: 'Three.',
      score: 10,
    });
  });

  test('knows formats, defaults, examples, references, recursion, allOf and nullable types', () => {
    expect(make({ type: 'string', format: 'date-time' })).toBe('2026-01-15T09:30:00Z');
    expect(make({ type: 'string', default: 'mine' })).toBe('mine');
    expect(make({ type: 'string', examples: ['sample'] })).toBe('sample');
    expect(make({ type: ['null', 'boolean'] })).toBe(true);
    expect(make({ type: 'null' })).toBe(null);
    expect(make({ type: 'integer', multipleOf: 5, minimum: 13, maximum: 20 })).toBe(15);
    expect(make({ type: 'string', pattern: '^\\d+$' })).toBe('12');
    expect(make({ type: 'array', items: { enum: ['a', 'b', 'c'] }, minItems: 3, uniqueItems: true })).toEqual(
      ['a', 'b', 'c'],
    );
    expect(make({ type: 'array', prefixItems: [{ const: 1 }, { const: 'x' }], items: false })).toEqual([
      1,
      'x',
    ]);
    const both = {
      allOf: [
        { type: 'object', properties: { a: { const: 1 } } },
        { properties: { b: { const: 2 } }, required: ['b'] },
      ],
    };
    expect(make(both)).toEqual({ a: 1, b: 2 });
    const node = {
      type: 'object',
      properties: { id: { const: 7 }, next: { $ref: '#/$defs/node' } },
      required: ['id'],
    };
    expect(JSON.stringify(make({ $ref: '#/$defs/node', $defs: { node } }))).toContain('{"id":7}');
    const endless = { type: 'array', items: { $ref: '#' } };
    expect(make(endless)).toBeInstanceOf(Array);
    expect(make({})).toEqual(expect.any(String));
  });
});
