import type { LedgerKey } from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import { ModelLedger } from '@synapsekit/testing/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { booking, daily, onSlices, reservation, slow, total } from '../test/on-slices.ts';
import { LeasedLedger } from './leased-ledger.ts';

const plain = { noNullPrototype: true } as const;
const amount = fc.bigInt({ min: 0n, max: 30n });
const limit = 2_000n;
const keys = [daily, total];

describe('a raise that is under way to the shared ledger', () => {
  async function raising() {
    const { clock, shared, open, figures } = onSlices({ sliceMs: 1_000_000, callsPerSlice: 10 });
    const ledger = open(slow(shared, clock, () => 5_000));
    const first = ledger.reserve(reservation('h', 10n));
    await clock.advance(10_000);
    expect(await first).toEqual({ admitted: true });
    const end = async () => {
      const disposed = ledger.dispose();
      await clock.advance(20_000);
      await disposed;
    };
    return { clock, ledger, figures, end };
  }

  test('is refused when the lease of its hold ends meanwhile, and all that is posted is booked', async () => {
    const { clock, ledger, figures, end } = await raising();
    await clock.advance(58_000);
    const raised = Promise.resolve(ledger.reserve(reservation('h', 200n)));
    const refused = expect(raised).rejects.toMatchObject({ transient: false });
    await clock.advance(3_000);
    expect(await ledger.renew('h', 1_000)).toBe(false);
    await clock.advance(3_000);
    await refused;
    const posted = ledger.post(booking('a', 'h', 500n));
    await clock.advance(20_000);
    await posted;
    await end();
    expect(await figures()).toBe('500+0');
  });

  test('is refused when its lease ended and nobody noticed yet', async () => {
    const { clock, ledger, end, figures } = await raising();
    await clock.advance(58_000);
    const raised = Promise.resolve(ledger.reserve(reservation('h', 200n)));
    const refused = expect(raised).rejects.toMatchObject({ transient: false });
    await clock.advance(6_000);
    await refused;
    expect(await ledger.renew('h', 1_000)).toBe(false);
    await ledger.post(booking('a', 'h', 7n));
    await end();
    expect(await figures()).toBe('7+0');
  });

  test('is refused when its hold is closed meanwhile, and keeps nothing', async () => {
    const { clock, ledger, figures, end } = await raising();
    const raised = Promise.resolve(ledger.reserve(reservation('h', 200n)));
    const refused = expect(raised).rejects.toMatchObject({ transient: false });
    await ledger.post(booking('a', 'h', 4n));
    await clock.advance(6_000);
    await refused;
    expect(ledger.reserve(reservation('all', 286n))).toEqual({ admitted: true });
    await ledger.close('all');
    await end();
    expect(await figures()).toBe('4+0');
  });

  test('gives back what another raise to the same amount has brought already', async () => {
    const { clock, ledger, figures, end } = await raising();
    const raised = [1, 2].map(() => ledger.reserve(reservation('h', 200n)));
    await clock.advance(12_000);
    expect(await Promise.all(raised)).toEqual([{ admitted: true }, { admitted: true }]);
    expect(ledger.reserve(reservation('rest', 280n))).toEqual({ admitted: true });
    await Promise.all(['h', 'rest'].map((id) => ledger.close(id)));
    await end();
    expect(await figures()).toBe('0+0');
  });
});

describe('a ledger that is disposed of', () => {
  async function disposed(startMs: number) {
    const { clock, shared, open, figures } = onSlices();
    const asked: string[] = [];
    const store = slow(shared, clock, () => 500);
    const ledger = open(
      new Proxy(store, {
        get(target, name) {
          asked.push(String(name));
          return Reflect.get(target, name, target);
        },
      }),
    );
    const admitted = [ledger.reserve(reservation('h', 10n))];
    await clock.advance(startMs);
    if (startMs > 1_000) admitted.push(ledger.reserve(reservation('t', 10n, total)));
    await clock.advance(400);
    const dispose = ledger.dispose();
    await clock.advance(5_000);
    await dispose;
    const askedThen = asked.length;
    await clock.advance(100_000);
    expect(asked.length - askedThen).toBe(0);
    expect(clock.pending).toBe(0);
    return { ledger, admitted, clock, figures };
  }

  test('asks nothing any more, when the first slice was being taken', async () => {
    const { ledger, admitted, clock, figures } = await disposed(200);
    expect(await Promise.all(admitted)).toEqual([{ admitted: true }]);
    const closed = ledger.close('h');
    await clock.advance(5_000);
    await closed;
    expect(await figures()).toBe('0+0');
  });

  test('asks nothing any more, when it was reporting and a slice was being taken', async () => {
    const { admitted } = await disposed(2_000);
    expect(await Promise.all(admitted)).toEqual([{ admitted: true }, { admitted: true }]);
  });

  test('takes no slices any more', async () => {
    const { ledger, clock, figures } = await disposed(200);
    const late = ledger.reserve(reservation('late', 10n, total));
    await clock.advance(5_000);
    expect(await late).toEqual({ admitted: true });
    expect(await figures(total)).toBe('0+10');
  });
});

/** Something to do with a call, so long after the one before was begun. */
interface Call {
  readonly set: readonly LedgerKey[];
  readonly afterMs: number;
  readonly asked: bigint;
  readonly raiseAfterMs: number;
  readonly raisedTo: readonly bigint[];
  readonly costs: readonly bigint[];
  readonly pauseMs: number;
  readonly onExpiry: 'book' | 'release';
}

const pause = fc.constantFrom(0, 300, 2_000, 9_000);
const call: fc.Arbitrary<Call> = fc.record(
  {
    set: fc.constantFrom([daily], [total, daily], [total]),
    afterMs: pause,
    asked: amount,
    raiseAfterMs: fc.constantFrom(0, 5_000, 7_500),
    raisedTo: fc.array(fc.bigInt({ min: 0n, max: 900n }), { maxLength: 3 }),
    costs: fc.array(fc.bigInt({ min: 0n, max: 200n }), { maxLength: 3 }),
    pauseMs: pause,
    onExpiry: fc.constantFrom('book', 'release'),
  },
  plain,
);

test('whatever is under way to a slow ledger at once, all that was posted is booked, and nothing stays held', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(call, { maxLength: 25, size: 'max' }),
      fc.infiniteStream(fc.constantFrom(0, 0, 50, 700, 4_000)),
      async (calls, delays) => {
        const clock = new ManualClock();
        const shared = new ModelLedger(clock);
        const delayed = slow(shared, clock, () => delays.next().value ?? 0);
        const ledger = new LeasedLedger(delayed, { clock, callsPerSlice: 10, processCount: 1 });
        const spent = new Map<LedgerKey, bigint>(keys.map((key) => [key, 0n]));
        const running: Promise<void>[] = [];
        for (const [index, each] of calls.entries()) {
          running.push(run(ledger, clock, `c${index}`, each, spent));
          await clock.advance(each.afterMs);
        }
        let isDone = false;
        const done = Promise.all(running)
          .then(() => ledger.dispose())
          .finally(() => {
            isDone = true;
          });
        while (!isDone) await clock.advance(1_000);
        await done;
        await clock.advance(30_000);
        for (const { key, committed, held } of shared.status(keys)) {
          const all = keys.find((at) => at.key === key);
          expect(`${key} ${committed}+${held}`).toBe(`${key} ${all && spent.get(all)}+0`);
        }
      },
    ),
    { numRuns: 100 },
  ));

/** Reserves, raises while other raises are under way, posts, and closes, whatever is refused. */
async function run(
  ledger: LeasedLedger,
  clock: ManualClock,
  id: string,
  { set, asked, raiseAfterMs, raisedTo, costs, pauseMs, onExpiry }: Call,
  spent: Map<LedgerKey, bigint>,
): Promise<void> {
  const reserve = async (most: bigint) => {
    const asking = set.map((key) => ({ ...key, limit, amount: most }));
    return await ledger.reserve({ holdId: id, lines: asking, leaseMs: 8_000, onExpiry });
  };
  await reserve(asked);
  await clock.sleep(raiseAfterMs);
  const raises = Promise.allSettled(raisedTo.map(reserve));
  await clock.sleep(pauseMs);
  for (const [index, cost] of costs.entries()) {
    for (const key of set) spent.set(key, (spent.get(key) ?? 0n) + cost);
    const kind = index % 3 === 2 ? ('estimated' as const) : ('actual' as const);
    const posted = set.map((key) => ({ ...key, amount: cost }));
    await ledger.post({ attemptId: `${id}-${index}`, holdId: id, lines: posted, kind });
    await clock.sleep(pauseMs);
  }
  await ledger.close(id);
  await raises;
}
