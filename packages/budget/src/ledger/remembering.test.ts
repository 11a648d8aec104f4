import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GenerationalMap } from './generational-map.ts';
import { IdTable } from './id-table.ts';
import { IdText } from './id-text.ts';
import { type Leased, LeaseHeap } from './lease-heap.ts';

test('an id table is a map, whatever the ids, also when all of their hashes are the same', () => {
  const operation = fc.tuple(fc.string({ maxLength: 3 }), fc.integer());
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 300 }), fc.boolean(), (operations, sameHash) => {
      const table = new IdTable<number>();
      const map = new Map<string, number>();
      const text = new IdText();
      const find = (id: string): number => {
        text.take(id);
        if (sameHash) text.hash = 7;
        return table.find(text);
      };
      for (const [id, value] of operations) {
        expect(table.at(find(id))).toBe(map.get(id));
        table.put(find(id), text, value);
        map.set(id, value);
        expect(table.at(find(id))).toBe(value);
      }
      expect(table.size).toBe(map.size);
    }),
    { numRuns: 100 },
  );
});

test('an id stays for its time, or until so many later ones have come, whichever ends first', () => {
  const map = new GenerationalMap<number>(1_000, 10);
  map.age(0);
  map.set('a', 1);
  map.age(1_999);
  map.age(2_500);
  expect(map.get('a')).toBe(1);
  map.age(2_999);
  expect(map.get('a')).toBeUndefined();
  map.set('b', 2);
  for (let i = 0; i < 9; i++) map.set(`later-${i}`, i);
  expect(map.get('b')).toBe(2);
  for (let i = 9; i < 19; i++) map.set(`later-${i}`, i);
  expect(map.get('b')).toBe(2);
  for (let i = 19; i < 30; i++) map.set(`later-${i}`, i);
  expect(map.get('b')).toBeUndefined();
  expect(map.size).toBeLessThanOrEqual(20);
});

test('what is remembered of an id is what was set last, through all generations, however often it is asked for', () => {
  const operation = fc.tuple(
    fc.constantFrom('set', 'get and set', 'get', 'get twice', 'age'),
    fc.nat({ max: 200 }),
  );
  fc.assert(
    fc.property(
      fc.array(operation, { maxLength: 400, size: 'max' }),
      fc.integer({ min: 1, max: 100 }),
      (operations, minCount) => {
        const remembered = new GenerationalMap<number>(200, minCount);
        const last = new Map<string, number>();
        let nowMs = 0;
        for (const [index, [what, which]] of operations.entries()) {
          const id = `id-${which}`;
          if (what === 'age') {
            nowMs += 4;
            remembered.age(nowMs);
          } else if (what !== 'get' && what !== 'get twice') {
            if (what === 'get and set') remembered.get(id);
            remembered.set(id, index);
            last.set(id, index);
            expect(remembered.get(id)).toBe(index);
          } else {
            const found = remembered.get(id);
            expect([undefined, last.get(id)]).toContain(found);
            if (what === 'get twice') expect(remembered.get(id)).toBe(found);
          }
        }
      },
    ),
    { numRuns: 100 },
  );
});

test('leases end in order, each once, renewed ones later and ended ones never', () => {
  interface Item extends Leased {
    readonly name: number;
  }
  const step = fc.oneof(
    fc.record(
      { what: fc.constant('add' as const), forMs: fc.integer({ min: 1, max: 50 }) },
      { noNullPrototype: true },
    ),
    fc.record(
      { what: fc.constantFrom('renew' as const, 'end' as const), which: fc.nat() },
      { noNullPrototype: true },
    ),
    fc.record(
      { what: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 30 }) },
      { noNullPrototype: true },
    ),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = new LeaseHeap<Item>();
      const live: Item[] = [];
      let nowMs = 0;
      for (const one of steps) {
        if (one.what === 'add') {
          const item: Item = {
            name: live.length,
            live: true,
            leaseEndsAtMs: nowMs + one.forMs,
            filedAtMs: 0,
          };
          heap.add(item);
          live.push(item);
        } else if (one.what === 'pass') {
          nowMs += one.ms;
          const due = live.filter(({ leaseEndsAtMs }) => leaseEndsAtMs <= nowMs);
          const taken: Item[] = [];
          for (let item = heap.takeDue(nowMs); item !== undefined; item = heap.takeDue(nowMs))
            taken.push(item);
          expect(new Set(taken)).toEqual(new Set(due));
          expect(taken).toHaveLength(due.length);
          for (const item of due) live.splice(live.indexOf(item), 1);
        } else {
          const item = live[one.which % Math.max(1, live.length)];
          if (item === undefined) continue;
          if (one.what === 'renew') item.leaseEndsAtMs = nowMs + 60;
          else {
            heap.end(item);
            live.splice(live.indexOf(item), 1);
          }
        }
      }
    }),
    { numRuns: 200 },
  );
});
