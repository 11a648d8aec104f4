import { ConfigError } from '@synapsekit/core';
import { shownPath } from './source-position.ts';
import { describeIssues, type StandardSchema } from './standard-schema.ts';

/** What the readers of datasets share. */
export interface DatasetOptions<Row> {
  /** Checks and types each row: a schema of Zod, Valibot, ArkType, or any other that implements Standard Schema. */
  readonly schema?: StandardSchema<Row> | undefined;
  /** Reads so many rows and no more. @default all */
  readonly limit?: number | undefined;
}

/** Where a row stands, for messages. */
export interface RowPlace {
  readonly path: string;
  readonly line: number;
}

/**
 * A row that its schema accepts, as the schema returns it.
 *
 * @throws ConfigError with the file, the line, and what is wrong.
 */
export async function checkRow<Row>(
  row: unknown,
  schema: StandardSchema<Row> | undefined,
  { path, line }: RowPlace,
): Promise<Row> {
  if (schema === undefined) return row as Row;
  const result = await schema['~standard'].validate(row);
  if (result.issues === undefined) return result.value;
  throw new ConfigError(
    `${shownPath(path)}:${line}: the row does not fit its schema: ${describeIssues(result.issues)}`,
    {
      option: 'schema',
    },
  );
}

/** @throws ConfigError for a file that cannot be read. */
export function unreadable(path: string, error: unknown): ConfigError {
  const code = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  const why = code === 'ENOENT' ? 'there is no such file' : String(code ?? error);
  const hint =
    code === 'ENOENT'
      ? ` A path starts in the working folder; new URL('rows.jsonl', import.meta.url) in that of the eval file.`
      : '';
  return new ConfigError(`The dataset ${shownPath(path)} cannot be read: ${why}.${hint}`, {
    option: 'path',
    cause: error,
  });
}
