import type { InspectableLedger, PostRequest, ReserveRequest } from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import { ModelLedger } from '@synapsekit/testing/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { booking, daily, onSlices, recent, reservation, total } from '../test/on-slices.ts';
import { LeasedLedger } from './leased-ledger.ts';

const lineSets = [[daily], [total, daily], [total], [recent, daily]];
const limit = 2_000n;

type Step =
  | { readonly do: 'reserve'; readonly request: ReserveRequest }
  | { readonly do: 'post'; readonly request: PostRequest }
  | { readonly do: 'close'; readonly holdId: string }
  | { readonly do: 'renew'; readonly holdId: string }
  | { readonly do: 'advance'; readonly ms: number };

const plain = { noNullPrototype: true } as const;
const amount = fc.bigInt({ min: 0n, max: 30n });
const holdId = fc.constantFrom(...Array.from({ length: 8 }, (_, index) => `h${index}`));
const lines = fc
  .constantFrom(...lineSets)
  .chain((set) =>
    fc
      .array(amount, { minLength: set.length, maxLength: set.length })
      .map((amounts) => set.map((key, index) => ({ ...key, limit, amount: amounts[index] ?? 0n }))),
  );

/** Any step; a hold lives for so long. */
function steps(leaseMs: number): fc.Arbitrary<Step[]> {
  const reserve = fc.record(
    { holdId, lines, leaseMs: fc.constant(leaseMs), onExpiry: fc.constant('book' as const) },
    plain,
  );
  const post = fc
    .record(
      {
        attemptId: fc.constantFrom('a1', 'a2', 'a3', 'a4', 'a5'),
        holdId: fc.option(holdId, { nil: undefined, freq: 8 }),
        lines: lines.map((set) =>
          set.map(({ key, window, amount: cost }) => ({ key, window, amount: cost })),
        ),
        kind: fc.constantFrom('actual' as const, 'actual' as const, 'estimated' as const),
        close: fc.boolean(),
      },
      plain,
    )
    .map((one) => ({ ...one, attemptId: `${one.attemptId} on ${one.lines.map(({ key }) => key).join()}` }));
  const step = fc.oneof(
    { weight: 6, arbitrary: reserve.map((request) => ({ do: 'reserve' as const, request })) },
    { weight: 5, arbitrary: post.map((request) => ({ do: 'post' as const, request })) },
    { weight: 1, arbitrary: holdId.map((id) => ({ do: 'close' as const, holdId: id })) },
    { weight: 1, arbitrary: holdId.map((id) => ({ do: 'renew' as const, holdId: id })) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(500, 3_000, 12_000).map((ms) => ({ do: 'advance' as const, ms })),
    },
  );
  return fc.array(step, { maxLength: 60, size: 'max' });
}

async function answer(ledger: InspectableLedger, step: Step): Promise<string> {
  try {
    if (step.do === 'reserve') return (await ledger.reserve(step.request)).admitted ? 'admitted' : 'refused';
    if (step.do === 'post') await ledger.post(step.request);
    else if (step.do === 'close') await ledger.close(step.holdId);
    else if (step.do === 'renew') await ledger.renew(step.holdId, 60_000);
    return 'done';
  } catch {
    return 'threw';
  }
}

const keys = [daily, total, recent];
const sums = async (ledger: InspectableLedger) =>
  (await ledger.status(keys)).map(({ committed, held }) => committed + held);

/** Takes the same steps with slices, and on the plain model of a ledger. */
async function compare(taken: readonly Step[]): Promise<void> {
  const clock = new ManualClock();
  const [shared, model] = [new ModelLedger(clock), new ModelLedger(clock)];
  const ledger = new LeasedLedger(shared, { clock, callsPerSlice: 20, processCount: 1, sliceMs: 10_000 });
  for (const [index, step] of taken.entries()) {
    const at = `step ${index + 1}, ${step.do}`;
    if (step.do === 'advance') await clock.advance(step.ms);
    else {
      const said = await answer(ledger, step);
      // What a slice keeps elsewhere may be refused; but nothing is admitted that would not fit.
      if (step.do === 'reserve' && said !== 'admitted') continue;
      expect(await answer(model, step), at).toBe(said);
    }
    const [there, here] = [await sums(ledger), await sums(model)];
    for (const [line, sum] of here.entries()) expect(there[line], at).toBeGreaterThanOrEqual(sum);
  }
  for (let index = 0; index < 8; index++) {
    await ledger.close(`h${index}`);
    model.close(`h${index}`);
  }
  await ledger.dispose();
  const [there, here] = [await shared.status(keys), model.status(keys)];
  for (const [line, { committed }] of here.entries()) {
    if (keys[line] !== recent) expect(there[line]).toMatchObject({ committed, held: 0n });
    else expect(there[line]?.committed).toBeGreaterThanOrEqual(committed);
  }
}

test('whatever happens in slices, all of it is booked, once, and nothing stays held', () =>
  fc.assert(
    fc.asyncProperty(steps(1_000_000), (taken) => compare(taken)),
    { numRuns: 150 },
  ));

test('where leases end, nothing is admitted that would not fit, and what is settled late is exact', () =>
  fc.assert(
    fc.asyncProperty(steps(8_000), (taken) => compare(taken)),
    { numRuns: 150 },
  ));

test('two guards around one call are both charged for it', async () => {
  const { open, figures } = onSlices();
  const ledger = open();
  await ledger.reserve(reservation('outer', 10n));
  await ledger.reserve(reservation('inner', 10n, total));
  await ledger.post(booking('attempt', 'inner', 7n, total));
  await ledger.post(booking('attempt', 'outer', 7n));
  await ledger.dispose();
  expect([await figures(), await figures(total)]).toEqual(['7+0', '7+0']);
});

test('an actual cost replaces an estimate, also one that was told without a hold', async () => {
  const { open, figures } = onSlices();
  const ledger = open();
  await ledger.reserve(reservation('h', 10n));
  await ledger.post({ ...booking('a', 'h', 6n), kind: 'estimated', close: false });
  await ledger.post({ ...booking('b', 'h', 3n), holdId: undefined });
  await ledger.post({ ...booking('b', 'h', 3n), close: false });
  await ledger.post(booking('a', 'h', 4n));
  await ledger.dispose();
  expect(await figures()).toBe('7+0');
});

test('a hold whose lease is over cannot be raised', async () => {
  const { clock, open, figures } = onSlices({ sliceMs: 1_000_000 });
  const ledger = open();
  await ledger.reserve(reservation('h', 8n));
  await clock.advance(60_000);
  await expect(async () => ledger.reserve(reservation('h', 15n))).rejects.toMatchObject({ transient: false });
  await ledger.post(booking('a', 'h', 15n));
  await ledger.dispose();
  expect(await figures()).toBe('15+0');
});

test('a hold that was closed while its slice was being taken is not placed', async () => {
  const { clock, open, figures } = onSlices();
  const ledger = open();
  const late = Promise.resolve(ledger.reserve(reservation('h', 10n)));
  await Promise.all([expect(late).rejects.toMatchObject({ transient: false }), ledger.close('h')]);
  await clock.advance(70_000);
  await expect(async () => ledger.reserve(reservation('h', 10n))).rejects.toMatchObject({ transient: false });
  await ledger.dispose();
  expect(await figures()).toBe('0+0');
});

test('a slice is given back when only the reply to it was lost', async () => {
  const { clock, shared, open, figures } = onSlices();
  let isLost = true;
  const store = new Proxy(shared, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        const reply = await value.apply(target, args);
        if (name === 'reserve' && isLost) throw new Error('connection reset');
        return reply;
      };
    },
  });
  const ledger = open(store);
  await expect(async () => ledger.reserve(reservation('h', 10n))).rejects.toThrow('reset');
  expect(await figures()).toBe('0+500');
  isLost = false;
  await clock.advance(15_000);
  expect(await figures()).toBe('0+0');
});

test('what a call costs beyond its hold does not come out of what others hold', async () => {
  const { open, figures } = onSlices({ callsPerSlice: 10 });
  const ledger = open();
  for (let index = 0; index < 10; index++) await ledger.reserve(reservation(`h${index}`, 10n)); // all of a slice
  await ledger.post(booking('a', 'h0', 60n));
  expect(await figures()).toBe('60+90');
  for (let index = 1; index < 10; index++) await ledger.post(booking(`a${index}`, `h${index}`, 10n));
  await ledger.dispose();
  expect(await figures()).toBe('150+0');
});

test('a rolling window never has more in it than its limit, however late a slice is used', async () => {
  const { clock, open } = onSlices({ callsPerSlice: 50 });
  const ledger = open();
  const spentAtMs: number[] = [];
  const spendAll = async (most: number) => {
    for (let count = 0; count < most; count++) {
      const id = `h${spentAtMs.length}`;
      if (!(await ledger.reserve(reservation(id, 10n, recent))).admitted) return;
      await ledger.post(booking(id, id, 10n, recent));
      spentAtMs.push(clock.monotonic());
    }
  };
  await spendAll(1);
  await clock.advance(7_900);
  await spendAll(50);
  await clock.advance(14_500);
  await spendAll(100);
  const inWindow = spentAtMs.filter((atMs) => atMs > clock.monotonic() - 20_000).length;
  expect(inWindow * 10).toBeLessThanOrEqual(1_000);
  await ledger.dispose();
});

test('a mark that a report crossed in the background is told to a post that asks for it', async () => {
  const { clock, open } = onSlices();
  const [ledger, other] = [open(), open()];
  const marked = (id: string, cost: bigint) => ({
    ...booking(id, id, cost),
    lines: [{ ...daily, amount: cost, marks: [30n] }],
  });
  for (const [index, each] of [ledger, other].entries()) {
    await each.reserve(reservation(`h${index}`, 20n));
    await each.reserve(reservation(`t${index}`, 1n, total));
    expect(await each.post(marked(`h${index}`, 20n))).toEqual([]);
  }
  await clock.advance(4_000); // both have reported
  const told: unknown[] = [];
  for (const [index, each] of [ledger, other].entries()) {
    told.push(...(await each.post(booking(`t${index}`, `t${index}`, 1n, total))));
    expect(told).toEqual([]);
  }
  for (const [index, each] of [ledger, other].entries()) {
    await each.reserve(reservation(`x${index}`, 1n));
    told.push(...(await each.post(marked(`x${index}`, 1n))));
  }
  expect(told).toEqual([{ ...daily, mark: 30n, committed: 40n }]);
});

test('a line of amount 0 is no obstacle, also where its limit is over', async () => {
  const { shared, open, figures } = onSlices();
  shared.post({ attemptId: 'before', lines: [{ ...total, amount: 1_050n }], kind: 'actual' });
  const ledger = open();
  const lines = [
    { ...total, amount: 0n, limit: 1_000n },
    { ...daily, amount: 10n, limit: 1_000n },
  ];
  const request = { holdId: 'h', lines, leaseMs: 60_000, onExpiry: 'book' as const };
  expect(await ledger.reserve(request)).toEqual({ admitted: true });
  await ledger.post({ ...booking('a', 'h', 7n), lines: lines.map((line) => ({ ...line, amount: 7n })) });
  await ledger.dispose();
  expect([await figures(), await figures(total)]).toEqual(['7+0', '1057+0']);
});

test('a call that no limit stops takes no slice of what is over already', async () => {
  const { shared, open, figures } = onSlices();
  shared.post({ attemptId: 'before', lines: [{ ...daily, amount: 1_050n }], kind: 'actual' });
  const ledger = open();
  const { lines, ...rest } = reservation('h', 10n);
  const overrun = { ...rest, lines: lines.map((line) => ({ ...line, limit: 2n ** 62n })) };
  expect(await ledger.reserve(overrun)).toEqual({ admitted: true });
  expect(await figures()).toBe('1050+10');
  await ledger.post(booking('a', 'h', 12n));
  expect(await figures()).toBe('1062+0');
});
