/** Options for the `openai` client that take back what it reads from `OPENAI_…` variables. */
export interface ForeignHostOptions {
  readonly organization: null;
  readonly project: null;
  readonly adminAPIKey: null;
  /** `null` removes a header. */
  readonly defaultHeaders: Readonly<Record<string, null>>;
}

/**
 * Options that make a client of the `openai` package fit for a host that is not OpenAI: the organisation, the project, the
 * admin key and the headers that it finds in the environment are meant for OpenAI, and for nobody else.
 */
export function withoutOpenAIEnvironment(): ForeignHostOptions {
  const lines = process.env.OPENAI_CUSTOM_HEADERS?.split('\n') ?? [];
  const names = lines.map((line) => line.split(':', 1)[0]?.trim() ?? '').filter((name) => name !== '');
  return {
    organization: null,
    project: null,
    adminAPIKey: null,
    defaultHeaders: Object.fromEntries(names.map((name) => [name, null])),
  };
}
