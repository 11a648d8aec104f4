/** A value with secrets taken out of its texts; the same one where there is none. */
export type Redact = <T>(value: T) => T;

/**
 * Takes the values of `secrets` out of texts, and out of the texts in lists and plain objects: `[the value of NAME]` stands in
 * their place. Keys of other makers look like nothing in particular, so that only their value gives them away.
 *
 * @param secrets by their name, as `secretsOf` finds them.
 */
export function redactValues(secrets: Readonly<Record<string, string>>): Redact {
  const names = new Map(Object.entries(secrets).map(([name, value]) => [value, name]));
  if (names.size === 0) return (value) => value;
  // The longest first: one may begin with another.
  const values = [...names.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(
    values.map((value) => value.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'),
    'g',
  );
  const redact = (value: unknown): unknown => {
    if (typeof value === 'string') {
      return value.replace(pattern, (found) => `[the value of ${names.get(found)}]`);
    }
    if (Array.isArray(value)) {
      const redacted = value.map(redact);
      return redacted.every((each, index) => each === value[index]) ? value : redacted;
    }
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, each]) => [key, each, redact(each)] as const);
    if (entries.every(([, before, after]) => before === after)) return value;
    return Object.fromEntries(entries.map(([key, , after]) => [key, after]));
  };
  return (value) => redact(value) as typeof value;
}
