import { ConfigError } from '@synapsekit/core';
import type { CaseRun, Metric, MetricVerdict } from './metric.ts';
import { type MetricOptions, readMetricOptions } from './metric-options.ts';
import { describeIssues, isStandardSchema, type StandardSchema } from './standard-schema.ts';

/** Options of `JsonSchema`. */
export interface JsonSchemaOptions<Name extends string = string> extends MetricOptions<Name> {
  /** A schema of Zod, Valibot, ArkType, or any other library that implements Standard Schema. */
  readonly schema: StandardSchema;
}

/**
 * Passes when the output of a case fits a schema. Text is read as JSON first, also where it stands in a Markdown
 * fence; anything else is judged as it is.
 */
export class JsonSchema<const Name extends string = never> implements Metric<Name> {
  readonly name: string = 'JsonSchema';
  readonly applyTo: readonly Name[] | undefined;
  readonly #schema: StandardSchema;

  /** @throws ConfigError for what is no Standard Schema, an unknown option, or an empty `applyTo`. */
  constructor(options: JsonSchemaOptions<Name>) {
    this.applyTo = readMetricOptions(this.name, options, ['schema']);
    if (!isStandardSchema(options.schema)) {
      throw new ConfigError(
        'schema of JsonSchema must be a Standard Schema: one of Zod (3.24 or later), Valibot, ArkType, or any library that implements standardschema.dev. A plain JSON Schema object is none.',
        { option: 'schema' },
      );
    }
    this.#schema = options.schema;
  }

  async evaluate({ value, output }: CaseRun): Promise<MetricVerdict> {
    let judged = output === undefined ? value : output;
    if (typeof judged === 'string') {
      try {
        judged = JSON.parse(unfenced(judged));
      } catch (error) {
        return {
          pass: false,
          detail: `the output is no JSON: ${error instanceof Error ? error.message : error}`,
        };
      }
    }
    const { issues } = await this.#schema['~standard'].validate(judged);
    if (issues === undefined) return { pass: true };
    return { pass: false, detail: describeIssues(issues) };
  }
}

/** What stands between the fences, if the whole text is one fenced block. */
function unfenced(text: string): string {
  return /^\s*```\w*\n([\s\S]*?)\n?```\s*$/.exec(text)?.[1] ?? text;
}
