import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IdTable } from './id-table.ts';

const id = fc.nat({ max: 150 }).map((number) => `id-${number}`);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.constant('set' as const), id, fc.nat()) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('delete' as const), id, fc.nat()) },
);

test('is a Map, whatever comes and goes', () =>
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600, size: 'max' }), (steps) => {
      const [table, map] = [new IdTable<number>(), new Map<string, number>()];
      for (const [what, key, value] of steps) {
        if (what === 'set') {
          table.set(key, value);
          map.set(key, value);
        } else {
          table.delete(key);
          map.delete(key);
        }
        expect(table.size).toBe(map.size);
      }
      for (let number = 0; number <= 150; number++) {
        expect(table.get(`id-${number}`)).toBe(map.get(`id-${number}`));
      }
      expect(new Map(table.entries())).toEqual(map);
    }),
    { numRuns: 60 },
  ));
