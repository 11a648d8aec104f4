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

/** Every option of a `Dialect`, for checks. */
export const dialectKeys: readonly (keyof Dialect)[] = [
  'maxTokensField',
  'sampling',
  'effortWithTools',
  'strictSchemas',
  'streamUsage',
  'seedField',
  'extraBody',
];
