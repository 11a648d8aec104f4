/** A JSON Schema, as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A function that a model may ask to have called. */
export interface Tool {
  readonly name: string;
  /** What it is for; the model chooses by it. */
  readonly description?: string | undefined;
  /** JSON Schema of the arguments object. @default an object without properties */
  readonly parameters?: JsonSchema | undefined;
  /** Ask the provider to hold the arguments to the schema exactly. */
  readonly strict?: boolean | undefined;
}

/** Which tool a model may or must use. */
export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string };

/** A tool that the model wants called. Its arguments come from a model: check them before use. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** The arguments as the model wrote them. */
  readonly argumentsText: string;
  /** The arguments parsed, or `undefined` when they are not valid JSON (see `argumentsError`). */
  readonly arguments: unknown;
  /** Why `arguments` is missing. */
  readonly argumentsError?: string | undefined;
}

/** Builds a tool call from the model's text; broken JSON becomes `argumentsError`, never an exception. */
export function toToolCall(id: string, name: string, argumentsText: string): ToolCall {
  // Models write nothing at all where a tool has no parameters.
  if (argumentsText.trim() === '') return { id, name, argumentsText, arguments: {} };
  try {
    return { id, name, argumentsText, arguments: JSON.parse(argumentsText) };
  } catch {
    return {
      id,
      name,
      argumentsText,
      arguments: undefined,
      argumentsError: `The model's arguments for "${name}" are not valid JSON (${argumentsText.length} characters).`,
    };
  }
}

/** What shape the answer must have. */
export type ResponseFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json' }
  | {
      readonly type: 'json-schema';
      /** Name of the schema, letters, digits, `_` and `-`. */
      readonly name: string;
      readonly schema: JsonSchema;
      readonly description?: string | undefined;
      /** Hold the answer to the schema exactly, where the provider can. @default true */
      readonly strict?: boolean | undefined;
    };
