import type { JsonSchema } from './tool.ts';

/** Keywords that hold a schema or a list of them, and those that hold schemas by name. Others hold plain values. */
const holdsSchemas: ReadonlySet<string> = new Set(['items', 'prefixItems', 'anyOf', 'oneOf', 'allOf']);
const holdsNamedSchemas: ReadonlySet<string> = new Set(['properties', '$defs', 'definitions']);

/** The same schema, with every object closed that does not say what it is. */
export function closeObjects(schema: JsonSchema): JsonSchema {
  const entries = Object.entries(schema).map(([keyword, value]) => [keyword, closeWithin(keyword, value)]);
  const isOpen = schema.type === 'object' && schema.additionalProperties === undefined;
  return { ...Object.fromEntries(entries), ...(isOpen && { additionalProperties: false }) };
}

function closeWithin(keyword: string, value: unknown): unknown {
  if (holdsSchemas.has(keyword) && Array.isArray(value)) return value.map(closeValue);
  if (holdsSchemas.has(keyword)) return closeValue(value);
  if (!holdsNamedSchemas.has(keyword) || !isSchema(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, closeValue(one)]));
}

function closeValue(value: unknown): unknown {
  return isSchema(value) ? closeObjects(value) : value;
}

/** Properties that may be left out, at any depth, by their paths: `"filter.unit"`. */
export function optionalProperties(schema: JsonSchema, path = ''): string[] {
  const required: readonly unknown[] = Array.isArray(schema.required) ? schema.required : [];
  const own = isSchema(schema.properties) ? Object.keys(schema.properties) : [];
  const optional = own.filter((name) => !required.includes(name)).map((name) => path + name);
  for (const [keyword, value] of Object.entries(schema)) {
    if (holdsSchemas.has(keyword)) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (isSchema(one)) optional.push(...optionalProperties(one, path));
      }
    } else if (holdsNamedSchemas.has(keyword) && isSchema(value)) {
      for (const [name, one] of Object.entries(value)) {
        if (isSchema(one)) optional.push(...optionalProperties(one, `${path}${name}.`));
      }
    }
  }
  return optional;
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
