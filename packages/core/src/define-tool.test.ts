import { toJsonSchema, toStandardJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type DefinedTool, defineTool, type ToolDefinition } from './define-tool.ts';
import { ConfigError, isSynapseError, ToolArgumentsError } from './errors.ts';
import { toToolCall } from './tool.ts';

const zodSchema = z.object({ city: z.string().min(1), days: z.number().int().default(1) });
const valibotSchema = v.object({
  city: v.pipe(v.string(), v.minLength(1)),
  days: v.optional(v.pipe(v.number(), v.integer()), 1),
});

const tools: [string, DefinedTool<{ city: string; days: number }>][] = [
  ['zod', defineTool({ name: 'weather', parameters: zodSchema })],
  ['valibot', defineTool({ name: 'weather', parameters: toStandardJsonSchema(valibotSchema) })],
  [
    'valibot and its JSON Schema apart',
    defineTool({ name: 'weather', parameters: valibotSchema, jsonSchema: toJsonSchema(valibotSchema) }),
  ],
];

describe.each(tools)('a tool from %s', (_, tool) => {
  test('is plain data for the model: what may be left out is not required', () => {
    expect(JSON.parse(JSON.stringify(tool))).toEqual({
      name: 'weather',
      parameters: {
        type: 'object',
        properties: {
          city: { type: 'string', minLength: 1 },
          days: expect.objectContaining({ type: 'integer', default: 1 }),
        },
        required: ['city'],
      },
    });
  });

  test('gives arguments that its schema made', async () => {
    expect(await tool.parse(toToolCall('1', 'weather', '{"city":"Bergen"}'))).toEqual({
      city: 'Bergen',
      days: 1,
    });
  });

  test('refuses arguments that do not fit, and quotes none of them', async () => {
    const call = toToolCall('call-7', 'weather', '{"city":"","days":"tomorrow"}');
    const error = await tool.parse(call).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ToolArgumentsError);
    expect(isSynapseError(error, 'tool-arguments')).toBe(true);
    expect(error).toMatchObject({
      tool: 'weather',
      toolCallId: 'call-7',
      issues: [
        { path: 'city', message: expect.any(String) },
        { path: 'days', message: expect.any(String) },
      ],
    });
    expect(String(error)).toContain('city, days');
    expect(String(error)).not.toContain('tomorrow');
  });

  test('refuses arguments that are no JSON, and a call of another tool', async () => {
    await expect(tool.parse(toToolCall('1', 'weather', '{"city":'))).rejects.toThrow(ToolArgumentsError);
    await expect(tool.parse(toToolCall('1', 'forecast', '{}'))).rejects.toThrow(/"forecast".*"weather"/);
  });
});

test('names the whole where no single place is at fault, and places inside of lists', async () => {
  const tool = defineTool({
    name: 'plan',
    parameters: z
      .object({ stops: z.array(z.object({ city: z.string() })) })
      .refine(({ stops }) => stops.length !== 1, 'one stop is no trip'),
  });
  const issuesOf = (json: string) =>
    tool.parse(toToolCall('1', 'plan', json)).catch(({ issues }: ToolArgumentsError) => issues);
  expect(await issuesOf('{"stops":[{"city":"Oslo"}]}')).toEqual([
    { path: '', message: 'one stop is no trip' },
  ]);
  expect(await issuesOf('{"stops":[{"city":"Oslo"},{"city":1}]}')).toMatchObject([{ path: 'stops.1.city' }]);
});

test('names no key in its message that the model made up', async () => {
  const tool = defineTool({
    name: 'note',
    parameters: z.object({ notes: z.record(z.string(), z.number()) }),
  });
  const error = await tool
    .parse(toToolCall('1', 'note', '{"notes":{"my ssn is 123-45-6789":"x"}}'))
    .catch((thrown: ToolArgumentsError) => thrown);
  expect(error).toMatchObject({ issues: [{ path: 'notes.my ssn is 123-45-6789' }] });
  expect(String(error)).toContain('do not fit its schema: notes.');
  expect(String(error)).not.toContain('ssn');
});

test('strict refuses properties that may be left out, wherever they are', () => {
  const define = (parameters: z.ZodType) => () => defineTool({ name: 'f', strict: true, parameters });
  expect(define(z.object({ city: z.string(), unit: z.string().default('C') }))).toThrow(
    /unit may be left out/,
  );
  expect(define(z.object({ days: z.array(z.object({ rain: z.number().optional() })) }))).toThrow(
    /days\.rain/,
  );
  expect(define(z.object({ either: z.union([z.object({ a: z.string().optional() }), z.null()]) }))).toThrow(
    /either\.a/,
  );
  expect(define(z.object({ required: z.string(), properties: z.string().nullable() }))).not.toThrow();
});

test('waits for schemas that ask elsewhere', async () => {
  const known = z.string().refine(async (city) => city === 'Bergen', 'unknown city');
  const tool = defineTool({ name: 'weather', parameters: z.object({ city: known }) });
  expect(await tool.parse(toToolCall('1', 'weather', '{"city":"Bergen"}'))).toEqual({ city: 'Bergen' });
  await expect(tool.parse(toToolCall('1', 'weather', '{"city":"Atlantis"}'))).rejects.toThrow(
    ToolArgumentsError,
  );
});

test('closes open objects for strict, and leaves the rest as it is', () => {
  const inner = z.object({ a: z.literal('x') });
  const { parameters, strict } = defineTool({
    name: 'f',
    description: 'Does it.',
    strict: true,
    parameters: z.object({
      one: inner,
      many: z.array(inner),
      either: z.union([inner, z.null()]),
      free: z.looseObject({}),
      properties: z.enum(['items', 'object']),
    }),
  });
  const closed = expect.objectContaining({ type: 'object', additionalProperties: false });
  expect(strict).toBe(true);
  expect(parameters).toEqual(closed);
  expect(parameters.properties).toMatchObject({
    one: closed,
    many: { items: closed },
    either: { anyOf: [closed, { type: 'null' }] },
    free: { type: 'object', additionalProperties: {} },
    properties: { type: 'string', enum: ['items', 'object'] },
  });
  expect(defineTool({ name: 'f', parameters: inner }).parameters).not.toHaveProperty('additionalProperties');
});

test.each<[string, object, RegExp]>([
  ['a name with a space', { name: 'get weather', parameters: zodSchema }, /1 to 64 letters/],
  ['no name', { parameters: zodSchema }, /1 to 64 letters/],
  ['an unknown option', { name: 'f', parameters: zodSchema, execute() {} }, /no option "execute"/],
  ['plain JSON Schema', { name: 'f', parameters: { type: 'object' } }, /needs no defineTool/],
  ['no schema', { name: 'f' }, /Standard Schema/],
  ['a schema of no object', { name: 'f', parameters: z.string() }, /schema of an object/],
  ['what JSON Schema cannot say', { name: 'f', parameters: z.object({ at: z.date() }) }, /cannot say/],
  ['valibot without JSON Schema', { name: 'f', parameters: valibotSchema }, /@valibot\/to-json-schema/],
])('refuses %s', (_, definition, message) => {
  const define = () => defineTool(definition as ToolDefinition<unknown>);
  expect(define).toThrow(ConfigError);
  expect(define).toThrow(message);
});
