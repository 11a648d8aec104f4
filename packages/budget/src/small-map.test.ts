import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SmallMap } from './small-map.ts';

test('does what a Map does', () => {
  const key = fc.constantFrom('a', 'b', 'c');
  const step = fc.oneof(
    fc.record({ what: fc.constant('set' as const), key, value: fc.nat() }),
    fc.record({ what: fc.constant('delete' as const), key }),
  );
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const small = new SmallMap<number>();
      const plain = new Map<string, number>();
      for (const one of steps) {
        if (one.what === 'set') {
          small.set(one.key, one.value);
          plain.set(one.key, one.value);
        } else {
          small.delete(one.key);
          plain.delete(one.key);
        }
        for (const each of ['a', 'b', 'c']) expect(small.get(each)).toBe(plain.get(each));
      }
    }),
  );
});
