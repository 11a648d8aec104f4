import { ConfigError, ToolArgumentsError, type ToolArgumentsIssue } from './errors.ts';
import type { SchemaIssue, StandardSchema } from './standard-schema.ts';
import { closeObjects, optionalProperties } from './strict-schema.ts';
import type { JsonSchema, Tool, ToolCall } from './tool.ts';
import { rejectUnknownKeys, shown } from './validate.ts';

/** What a tool is made from by `defineTool`. */
export interface ToolDefinition<Arguments> extends Omit<Tool, 'parameters'> {
  /** Letters, digits, `_` and `-`, at most 64: what providers accept. */
  readonly name: string;
  /** Schema of the arguments object, of zod, valibot or any other library that follows Standard Schema. */
  readonly parameters: StandardSchema<Arguments>;
  /** The same as JSON Schema, plain data. Needed only where the schema cannot say it by itself. */
  readonly jsonSchema?: object | undefined;
}

/** A tool whose arguments have a type. It goes into `CallOptions.tools` like any other. */
export interface DefinedTool<Arguments> extends Tool {
  readonly parameters: JsonSchema;
  /**
   * The arguments of a call of this tool, checked by its schema.
   *
   * @throws ToolArgumentsError when the model wrote no JSON, or arguments that the schema refuses.
   * @throws ConfigError for a call of another tool.
   */
  parse(call: ToolCall): Promise<Arguments>;
}

/** What `parse` of a tool gives. */
export type ToolArguments<T extends DefinedTool<unknown>> = T extends DefinedTool<infer A> ? A : never;

const definitionKeys: readonly (keyof ToolDefinition<unknown>)[] = [
  'name',
  'description',
  'parameters',
  'jsonSchema',
  'strict',
];

/**
 * A tool from the schema of its arguments: the model gets it as JSON Schema, and what the model writes is checked by it
 * and typed.
 *
 * ```ts
 * const weather = defineTool({ name: 'weather', parameters: z.object({ city: z.string() }) });
 * const { toolCalls } = await llm.generate('How warm is it in Bergen?', { tools: [weather] });
 * for (const call of toolCalls) console.log((await weather.parse(call)).city); // a string, checked
 * ```
 *
 * With `strict`, objects of the schema that do not say whether they are open are closed, as providers ask; they also want
 * every property to be required (OpenAI, "Structured Outputs": supported schemas).
 *
 * @throws ConfigError for a name that no provider takes, a schema that is none or not of an object, one without JSON
 *   Schema when `jsonSchema` is not given, or one with optional properties under `strict`.
 */
export function defineTool<Arguments>(definition: ToolDefinition<Arguments>): DefinedTool<Arguments> {
  rejectUnknownKeys(definition, definitionKeys, 'ToolDefinition');
  const { name, description, parameters: schema, strict } = definition;
  if (typeof name !== 'string' || !/^[\w-]{1,64}$/.test(name)) {
    throw new ConfigError(
      `The name of a tool must be 1 to 64 letters, digits, "_" or "-", got ${shown(name)}.`,
      { option: 'name' },
    );
  }
  if (typeof schema?.['~standard']?.validate !== 'function') {
    throw new ConfigError(
      `parameters of the tool "${name}" must be a schema that follows Standard Schema (zod, valibot, arktype…). A tool with plain JSON Schema needs no defineTool.`,
      { option: 'parameters' },
    );
  }
  const given = definition.jsonSchema as JsonSchema | undefined;
  const { $schema: _, ...plain } = given ?? toJsonSchema(name, schema);
  if (plain.type !== 'object') {
    throw new ConfigError(
      `parameters of the tool "${name}" must be the schema of an object: providers take no other.`,
      { option: 'parameters' },
    );
  }
  const optional = strict === true ? optionalProperties(plain) : [];
  if (optional.length > 0) {
    throw new ConfigError(
      `The tool "${name}" is strict, and providers then want every property to be required: ${optional.slice(0, 5).join(', ')} may be left out (optional, or with a default). Make it nullable instead, or leave \`strict\` out.`,
      { option: 'parameters' },
    );
  }
  const properties = new Set(Object.keys(plain.properties ?? {}));
  return {
    name,
    ...(description !== undefined && { description }),
    parameters: strict === true ? closeObjects(plain) : plain,
    ...(strict !== undefined && { strict }),
    parse: (call) => parseCall({ name, schema, properties }, call),
  };
}

function toJsonSchema(name: string, schema: StandardSchema): JsonSchema {
  const { vendor, jsonSchema } = schema['~standard'];
  if (jsonSchema === undefined) {
    const how = vendor === 'valibot' ? ' `@valibot/to-json-schema` makes either.' : '';
    throw new ConfigError(
      `The ${vendor} schema of the tool "${name}" does not give its JSON Schema. Pass that as \`jsonSchema\`, or a schema that gives it.${how}`,
      { option: 'jsonSchema' },
    );
  }
  try {
    return jsonSchema.input({ target: 'draft-2020-12' });
  } catch (cause) {
    throw new ConfigError(
      `parameters of the tool "${name}" have something that JSON Schema cannot say. Simplify them, or pass \`jsonSchema\`.`,
      { option: 'parameters', cause },
    );
  }
}

async function parseCall<Arguments>(
  {
    name,
    schema,
    properties,
  }: {
    readonly name: string;
    readonly schema: StandardSchema<Arguments>;
    /** Names that the tool's author gave: fit for a message. */
    readonly properties: ReadonlySet<string>;
  },
  call: ToolCall,
): Promise<Arguments> {
  if (call.name !== name) {
    throw new ConfigError(`The model called "${call.name}"; that cannot be read as a call of "${name}".`, {
      option: 'call',
    });
  }
  if (call.argumentsError !== undefined) {
    throw new ToolArgumentsError(call.argumentsError, {
      tool: name,
      toolCallId: call.id,
      issues: [{ path: '', message: 'not valid JSON' }],
    });
  }
  const result = await schema['~standard'].validate(call.arguments);
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map(toIssue);
  // Deeper than that, and in what is open, a path may hold keys that the model wrote.
  const firsts = result.issues.map(({ path: [first] = [] }) => nameOf(first));
  const places = [...new Set(firsts.map((first) => (properties.has(first) ? first : 'the whole')))];
  throw new ToolArgumentsError(
    `The model's arguments for "${name}" do not fit its schema: ${places.slice(0, 5).join(', ')}. \`issues\` says why; telling the model lets it try again.`,
    { tool: name, toolCallId: call.id, issues },
  );
}

function toIssue({ message, path = [] }: SchemaIssue): ToolArgumentsIssue {
  return {
    path: path.map(nameOf).join('.'),
    message,
  };
}

function nameOf(part: NonNullable<SchemaIssue['path']>[number] | undefined): string {
  return String(typeof part === 'object' ? part.key : part);
}
