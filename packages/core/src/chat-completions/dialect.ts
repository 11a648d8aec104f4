import { ConfigError } from '../errors.ts';
import { rejectUnknownKeys, shown } from '../validate.ts';

/** Where hosts and models that speak chat-completions differ in what they accept. */
export interface Dialect {
  /** Name of the field that bounds the answer. OpenAI's reasoning models refuse `max_tokens`. @default "max_tokens" */
  readonly maxTokensField?: 'max_tokens' | 'max_completion_tokens' | undefined;
  /**
   * Whether temperature, top-p, log-probabilities and stop sequences may be sent. OpenAI's reasoning models take them
   * only with `reasoningEffort: "none"`; they are left out otherwise.
   * @default "always"
   */
  readonly sampling?: 'always' | 'without-reasoning' | undefined;
  /** Reasoning effort to ask for when tools are given and the caller names none. @default none is sent */
  readonly effortWithTools?: string | undefined;
  /** Whether a JSON schema is strict when the caller does not say. @default true */
  readonly strictSchemas?: boolean | undefined;
  /** Ask for the usage of streams by `stream_options`. Some old compatible hosts refuse the field. @default true */
  readonly streamUsage?: boolean | undefined;
  /** Name of the field for a seed. Mistral has one of its own. @default "seed" */
  readonly seedField?: 'seed' | 'random_seed' | undefined;
  /** More fields for every request, as the host names them. */
  readonly extraBody?: Readonly<Record<string, unknown>> | undefined;
}

const dialectKeys: readonly (keyof Dialect)[] = [
  'maxTokensField',
  'sampling',
  'effortWithTools',
  'strictSchemas',
  'streamUsage',
  'seedField',
  'extraBody',
];

const choices = {
  maxTokensField: ['max_tokens', 'max_completion_tokens'],
  sampling: ['always', 'without-reasoning'],
  strictSchemas: [true, false],
  streamUsage: [true, false],
  seedField: ['seed', 'random_seed'],
} as const;

/**
 * Checks what a host is said to accept.
 *
 * @param name of the option, for the message.
 * @throws ConfigError for an unknown field, or a value that a field cannot have.
 */
export function checkDialect(dialect: Dialect, name = 'dialect'): void {
  rejectUnknownKeys(dialect, dialectKeys, name);
  for (const [field, allowed] of Object.entries(choices)) {
    const value: unknown = dialect[field as keyof typeof choices];
    if (value === undefined || (allowed as readonly unknown[]).includes(value)) continue;
    throw new ConfigError(
      `${name}.${field} must be ${allowed.map(shown).join(' or ')}, got ${shown(value)}.`,
      {
        option: `${name}.${field}`,
      },
    );
  }
  const { effortWithTools, extraBody } = dialect;
  if (effortWithTools !== undefined && typeof effortWithTools !== 'string') {
    throw new ConfigError(`${name}.effortWithTools must be a string, got ${shown(effortWithTools)}.`, {
      option: `${name}.effortWithTools`,
    });
  }
  if (
    extraBody !== undefined &&
    (typeof extraBody !== 'object' || extraBody === null || Array.isArray(extraBody))
  ) {
    throw new ConfigError(`${name}.extraBody must be an object of fields, got ${shown(extraBody)}.`, {
      option: `${name}.extraBody`,
    });
  }
}
