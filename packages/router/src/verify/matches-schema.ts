import { ConfigError } from '@synapsekit/core';
import { answerJson } from './answer-json.ts';
import { noText, onlyToolCalls, type Verifier } from './verifier.ts';

/**
 * A schema of any library that follows Standard Schema (https://standardschema.dev): Zod, Valibot, ArkType and others.
 * Only this much of it is needed.
 */
export interface StandardSchema {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    validate(value: unknown): StandardResult | Promise<StandardResult>;
  };
}

/** What a schema says of a value. */
export interface StandardResult {
  /** What does not fit; absent when all fits. */
  readonly issues?:
    | readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[]
    | undefined;
}

/**
 * The answer is JSON, alone or in a fenced block, and fits the schema. Without a schema: it is JSON.
 *
 * @throws ConfigError for what is no Standard Schema.
 */
export function matchesSchema(schema?: StandardSchema): Verifier {
  const standard = schema?.['~standard'];
  if (schema !== undefined && typeof standard?.validate !== 'function') {
    throw new ConfigError(
      'matchesSchema needs a Standard Schema (https://standardschema.dev), e.g. one of Zod, Valibot or ArkType.',
      { option: 'schema' },
    );
  }
  return {
    name: 'matches-schema',
    async verify({ generation }) {
      if (onlyToolCalls(generation)) return noText;
      const json = answerJson(generation.text);
      if (json === undefined) return { pass: false, reason: 'the answer is no JSON' };
      if (standard === undefined) return { pass: true, reason: 'the answer is JSON' };
      const { issues } = await standard.validate(json.value);
      if (issues === undefined || issues.length === 0) return { pass: true, reason: 'it fits the schema' };
      // Messages may quote the answer; where it does not fit is enough.
      const places = issues.map(({ path = [] }) =>
        path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
      );
      const named = [...new Set(places.map((place) => place || 'the whole'))].slice(0, 5).join(', ');
      return { pass: false, reason: `it does not fit the schema at: ${named}` };
    },
  };
}
