/**
 * What is used of a schema of zod, valibot, arktype and all others that follow Standard Schema, version 1. Structural:
 * nothing has to be installed for it.
 *
 * @see https://standardschema.dev
 */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': StandardSchemaProps<Output>;
}

/** The one member that a Standard Schema has for others. */
export interface StandardSchemaProps<Output> {
  readonly version: 1;
  /** Whose schema it is: `"zod"`, `"valibot"`. */
  readonly vendor: string;
  /** Checks a value, and gives it as the schema makes it: with defaults filled in, dates parsed. */
  validate(value: unknown): SchemaResult<Output> | Promise<SchemaResult<Output>>;
  /** For the type checker only. */
  readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  /** The schema as JSON Schema. Zod has it from 4.2 on; valibot by `toStandardJsonSchema`. */
  readonly jsonSchema?: StandardJsonSchema | undefined;
}

/** Turns a schema into JSON Schema. */
export interface StandardJsonSchema {
  /** What may be given to the schema. Throws for what JSON Schema cannot say. */
  input(options: { readonly target: 'draft-2020-12' | 'draft-07' }): Record<string, unknown>;
}

/** A value that a schema accepted, or why it did not. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One thing that a schema found wrong. */
export interface SchemaIssue {
  readonly message: string;
  /** Where, from the outside in. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}
