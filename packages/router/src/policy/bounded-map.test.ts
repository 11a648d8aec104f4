import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BoundedMap } from './bounded-map.ts';

/** The same, as plainly as it can be written: pairs in a list, the one touched last at the end. */
class PlainMap {
  readonly evicted: number[] = [];
  readonly #max: number;
  #pairs: (readonly [string, number])[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#pairs.length;
  }

  get(key: string): number | undefined {
    const value = this.take(key);
    if (value !== undefined) this.#pairs.push([key, value]);
    return value;
  }

  set(key: string, value: number): void {
    this.take(key);
    this.#pairs.push([key, value]);
    if (this.#pairs.length > this.#max) this.evicted.push(this.#pairs.shift()?.[1] ?? -1);
  }

  take(key: string): number | undefined {
    const found = this.#pairs.find(([name]) => name === key);
    this.#pairs = this.#pairs.filter((pair) => pair !== found);
    return found?.[1];
  }
}

describe('BoundedMap', () => {
  test('does what a plain list of pairs does, whatever is done to it', () => {
    const step = fc.tuple(fc.constantFrom('get', 'set', 'take'), fc.constantFrom('a', 'b', 'c', 'd', 'e'));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 60 }), (max, steps) => {
        const plain = new PlainMap(max);
        const evicted: number[] = [];
        const map = new BoundedMap<string, number>(max, (value) => evicted.push(value));
        for (const [index, [what, key]] of steps.entries()) {
          if (what === 'set') {
            map.set(key, index);
            plain.set(key, index);
          } else if (what === 'get') expect(map.get(key)).toBe(plain.get(key));
          else expect(map.take(key)).toBe(plain.take(key));
          expect([map.size, evicted]).toEqual([plain.size, plain.evicted]);
        }
      }),
    );
  });
});
