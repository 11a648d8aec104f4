import { MemoryLedger } from '@synapsekit/budget';
import type { Bench } from './harness/bench.ts';
import { requestsOver } from './ledger-requests.ts';

/** As many live keys, and so many times the trivial operation a pair may take. */
const sizes: readonly { readonly keys: number; readonly limit: number; readonly revised?: number }[] = [
  { keys: 10, limit: 5, revised: 20 },
  { keys: 10_000, limit: 10 },
  { keys: 1_000_000, limit: 25 },
];

const prototype =
  'Held against the map that has as many other keys as the ledger, in the same round. The targets come from a prototype ' +
  'in which a pair took 1.9, 3.2 and 8.3 µs (numbers) or 2.9, 3.6 and 14 µs (bigints) at these sizes, said to be 4, 8 ' +
  'and 20 times a Map set and delete: so that took 400 to 460 ns there, at every size, while it is under 150 ns here as ' +
  'long as little is in the heap. With few keys a pair is faster than that of the prototype, and missed all the same: 5 ' +
  'times 90 ns is less than remembering two ids. With a million keys about 20 places in memory are read that no cache ' +
  'has, and a third of the time goes into those of the request itself.';

export const bench: Bench = {
  title: 'Ledger in memory',
  async run({ compare }) {
    const groups = [];
    for (const { keys, limit, revised } of sizes) {
      const ledger = new MemoryLedger();
      const requests = requestsOver(keys);
      requests.visitAll((lines, index) => {
        ledger.reserve({ holdId: `first-${index}`, lines, leaseMs: 60_000, onExpiry: 'book' });
        ledger.close(`first-${index}`);
      });
      if (ledger.size.counters !== keys) throw new Error(`${ledger.size.counters} keys instead of ${keys}`);
      const name = keys.toLocaleString('en-US');
      const held = new Map<string, object>();
      const full = new Map<string, object>(Array.from({ length: keys }, (_, i) => [`key-${i}`, {}]));
      groups.push(
        await compare({
          title: `Reserve and post with close, over 4 of ${name} keys`,
          note: 'The trivial operation is a `Map` that is given a fresh id and loses it again: what a ledger cannot do without. The target is held against the map that is empty otherwise, and against one with as many keys as the ledger has.',
          mode: 'sync',
          contenders: [
            {
              name: 'Map, set and delete',
              op: (index) => {
                const id = `hold-${index}`;
                held.set(id, {});
                return held.delete(id);
              },
            },
            {
              name: `Map with ${name} other keys, set and delete`,
              op: (index) => {
                const id = `hold-${index}`;
                full.set(id, {});
                return full.delete(id);
              },
            },
            {
              name: 'MemoryLedger, reserve and post',
              op: (index) => {
                const lines = requests.at(index);
                const holdId = `hold-${index}`;
                const { admitted } = ledger.reserve({ holdId, lines, leaseMs: 60_000, onExpiry: 'book' });
                if (!admitted) throw new Error('The ledger refused.');
                ledger.post({ attemptId: `attempt-${index}`, holdId, lines, kind: 'actual', close: true });
              },
            },
          ],
          targets: [
            {
              text: `a pair over 4 of ${name} keys, against an empty Map`,
              ratio: ['MemoryLedger, reserve and post', 'Map, set and delete'],
              limit,
              note: prototype,
            },
            {
              text: `a pair over 4 of ${name} keys, against a Map with as many`,
              ratio: ['MemoryLedger, reserve and post', `Map with ${name} other keys, set and delete`],
              limit,
              revised,
              note: prototype,
            },
          ],
        }),
      );
    }
    return groups;
  },
};
