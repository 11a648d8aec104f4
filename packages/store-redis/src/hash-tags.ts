import type { LedgerKey } from '@synapsekit/core';
import { conflict } from './redis-errors.ts';
import { isHashTag } from './redis-ledger-options.ts';

/** How many holds that are over are still known. */
const maxPast = 20_000;
/** How many names are known, to look through. */
const maxNames = 10_000;

/** Which slot a request goes to. */
export class HashTags {
  readonly #tag: string | ((key: string) => string);
  /** Where the holds of this process lie, while they live. */
  readonly #holds = new Map<string, string>();
  readonly #past = new Map<string, string>();
  /** Goes on where it stopped: a new one would pass all that was taken out before. */
  readonly #oldest = this.#past.keys();
  readonly #names = new Set<string>();

  constructor(tag: string | ((key: string) => string)) {
    this.#tag = tag;
  }

  /** @throws LedgerError for lines in different slots, or for none. */
  of(lines: readonly LedgerKey[]): string {
    if (typeof this.#tag === 'string') return this.#tag;
    let tag: string | undefined;
    for (const { key } of lines) {
      const its = this.#tag(key);
      if (!isHashTag(its)) {
        throw conflict(
          `hashTag must return a text that is not empty and has no braces, it returned ${JSON.stringify(its)} for ${key}`,
        );
      }
      if (tag !== undefined && its !== tag) throw spanning(tag, its);
      tag = its;
    }
    if (tag === undefined) throw conflict('a request without lines belongs to no hash tag');
    if (this.#names.size < maxNames) this.#names.add(tag);
    return tag;
  }

  /** The same, and the hold lies there too. */
  ofHold(holdId: string, lines: readonly LedgerKey[]): string {
    if (typeof this.#tag === 'string') return this.#tag;
    if (lines.length === 0) return this.ofKnownHold(holdId);
    const tag = this.of(lines);
    const known = this.#holds.get(holdId) ?? this.#past.get(holdId);
    if (known !== undefined && known !== tag) throw spanning(known, tag);
    if (known === undefined) this.#holds.set(holdId, tag);
    return tag;
  }

  /** @throws LedgerError for a hold that no request of this process named, where its id alone does not tell. */
  ofKnownHold(holdId: string): string {
    if (typeof this.#tag === 'string') return this.#tag;
    const known = this.#holds.get(holdId) ?? this.#past.get(holdId);
    if (known !== undefined) return known;
    throw conflict(
      `with a function for hashTag only the process that placed a hold knows where it lies, and this one did not place ${holdId}`,
    );
  }

  /** The hold is over: its place is remembered for a while. */
  forget(holdId: string): void {
    const tag = this.#holds.get(holdId);
    if (tag === undefined) return;
    this.#holds.delete(holdId);
    this.#past.set(holdId, tag);
    if (this.#past.size > maxPast) this.#past.delete(this.#oldest.next().value ?? '');
  }

  /** All names there are, or that were used so far. */
  all(): readonly string[] {
    return typeof this.#tag === 'string' ? [this.#tag] : [...this.#names];
  }
}

function spanning(one: string, other: string) {
  return conflict(
    `its keys lie under two hash tags, ${one} and ${other}, and nothing in Redis is atomic over two; let hashTag give the same name to all keys that one call needs`,
  );
}
