import { ConfigError } from '../errors.ts';

/** Where a key may come from, and what to say when there is none. */
export interface KeySource {
  /** As in "the OpenAI API". */
  readonly service: string;
  /** Given by the user; looked at first. */
  readonly apiKey: string | undefined;
  /** The environment variable that holds it otherwise; none is read when absent. */
  readonly variable: string | undefined;
  /** Where to get a key. */
  readonly page: string;
  /** How a key begins, where all of them begin alike. */
  readonly prefix?: string | undefined;
}

/** The key, or `undefined` when there is none. Surrounding white space, a usual accident of files, is cut off. */
export function findApiKey({ apiKey, variable }: Pick<KeySource, 'apiKey' | 'variable'>): string | undefined {
  const key = apiKey?.trim() || (variable === undefined ? undefined : process.env[variable]?.trim());
  if (!key) return undefined;
  // A header with such a character would be refused by an error that quotes it.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new ConfigError(
      `The API key${apiKey ? '' : ` in ${variable}`} has a space, a line break or another character in it that no key has.`,
      { option: 'apiKey' },
    );
  }
  return key;
}

/** @throws ConfigError that says how to get a key, when there is none. */
export function requireApiKey(source: KeySource): string {
  const key = findApiKey(source);
  if (key !== undefined) return key;
  const { service, variable, page, prefix } = source;
  const where = variable === undefined ? 'Pass it as `apiKey`' : `Set ${variable}, or pass it as \`apiKey\``;
  throw new ConfigError(
    `The ${service} API needs a key, and there is none. ${where}. You get one at ${page}${prefix === undefined ? '' : `; it begins with "${prefix}"`}.`,
    { option: 'apiKey' },
  );
}
