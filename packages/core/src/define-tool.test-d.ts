import { toStandardJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import type { CallOptions, DefinedTool, StandardSchema, ToolArguments, ToolCall } from './index.ts';
import { defineTool } from './index.ts';

interface Trip {
  city: string;
  days: number;
  note?: string | undefined;
}

declare const call: ToolCall;

test('arguments have the type that the zod schema makes, defaults and transforms included', () => {
  const tool = defineTool({
    name: 'trip',
    parameters: z.object({ city: z.string(), days: z.number().default(1), note: z.string().optional() }),
  });
  expectTypeOf(tool.parse(call)).resolves.toEqualTypeOf<Trip>();
  expectTypeOf<ToolArguments<typeof tool>>().toEqualTypeOf<Trip>();
  const parsed = defineTool({ name: 'at', parameters: z.object({ at: z.string().transform(Number) }) });
  expectTypeOf<ToolArguments<typeof parsed>>().toEqualTypeOf<{ at: number }>();
});

test('the same from valibot', () => {
  const schema = v.object({
    city: v.string(),
    days: v.optional(v.number(), 1),
    kind: v.picklist(['sea', 'land']),
  });
  const tool = defineTool({ name: 'trip', parameters: toStandardJsonSchema(schema) });
  expectTypeOf<ToolArguments<typeof tool>>().toEqualTypeOf<{
    city: string;
    days: number;
    kind: 'sea' | 'land';
  }>();
  const apart = defineTool({ name: 'trip', parameters: schema, jsonSchema: { type: 'object' } });
  expectTypeOf(apart).toEqualTypeOf(tool);
});

test('a schema of any library will do', () => {
  const tool = defineTool({ name: 'trip', parameters: {} as StandardSchema<Trip> });
  expectTypeOf(tool).toEqualTypeOf<DefinedTool<Trip>>();
});

test('a defined tool goes where tools go, also beside plain ones', () => {
  const tool = defineTool({ name: 'trip', parameters: z.object({}) });
  expectTypeOf({ tools: [tool, { name: 'plain' }] }).toMatchTypeOf<CallOptions>();
});

test('what is no schema does not compile', () => {
  // @ts-expect-error Plain JSON Schema is a Tool already.
  defineTool({ name: 'trip', parameters: { type: 'object' } });
  // @ts-expect-error A name is missing.
  defineTool({ parameters: z.object({}) });
});
