const scanning = [
  ...['charCodeAt', 'codePointAt', 'normalize', 'toLowerCase', 'replace', 'replaceAll', 'match', 'matchAll'],
  ...['split', 'search', 'isWellFormed', 'toWellFormed', 'localeCompare'],
] as const;

/**
 * How many characters of text a piece of work reads: of the methods that look at text, one for each character that
 * `charCodeAt` is asked for, and the whole text for all others. So a test can say that work is bounded, without a clock.
 */
export function charsRead(work: () => unknown): number {
  let read = 0;
  const undo: (() => void)[] = [];
  const watch = (
    owner: object,
    name: string,
    count: (self: unknown, args: readonly unknown[]) => number,
  ): void => {
    const original = Reflect.get(owner, name) as (...args: unknown[]) => unknown;
    Reflect.set(owner, name, function (this: unknown, ...args: unknown[]) {
      read += count(this, args);
      return original.apply(this, args);
    });
    undo.push(() => Reflect.set(owner, name, original));
  };
  const lengthOf = (value: unknown): number =>
    typeof value === 'string' || value instanceof String ? value.length : 0;
  for (const name of scanning) {
    watch(String.prototype, name, (self) => (name.endsWith('At') ? 1 : lengthOf(self)));
  }
  // A pattern with the flag "g" goes on where it stopped: the text counts once.
  for (const name of ['test', 'exec']) {
    watch(RegExp.prototype, name, (self, [text]) => ((self as RegExp).lastIndex > 0 ? 0 : lengthOf(text)));
  }
  watch(Buffer, 'byteLength', (_, [text]) => lengthOf(text));
  watch(JSON, 'stringify', (_, [value]) => lengthOf(value));
  try {
    work();
  } finally {
    for (const restore of undo) restore();
  }
  return read;
}
