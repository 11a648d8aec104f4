/** What should not be: each kind with its count and a few examples. */
export class Violations {
  readonly #kinds: Map<string, { count: number; readonly examples: string[] }> = new Map();

  /** Notes one. @param example where and with what figures; of each kind the first few are kept. */
  add(kind: string, example = ''): void {
    const entry = this.#kinds.get(kind) ?? { count: 0, examples: [] };
    entry.count += 1;
    if (example !== '' && entry.examples.length < 3) entry.examples.push(example);
    this.#kinds.set(kind, entry);
  }

  /** Notes one unless `ok`. */
  expect(ok: boolean, kind: string, example = ''): void {
    if (!ok) this.add(kind, example);
  }

  get count(): number {
    return [...this.#kinds.values()].reduce((sum, { count }) => sum + count, 0);
  }

  list(): readonly { readonly kind: string; readonly count: number; readonly examples: readonly string[] }[] {
    return [...this.#kinds].map(([kind, entry]) => ({ kind, ...entry }));
  }
}
