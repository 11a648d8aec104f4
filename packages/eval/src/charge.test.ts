import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Charge, prevailing, readCharge } from './charge.ts';

const anyCharge = fc.record(
  {
    attemptId: fc.constant('a'),
    model: fc.constant('m'),
    pico: fc.option(fc.bigInt({ min: 0n, max: 5n }), { nil: undefined }),
    estimated: fc.boolean(),
  },
  { noNullPrototype: true },
);

const prevailOf = (charges: readonly Charge[]): Charge | undefined =>
  charges.reduce<Charge | undefined>((left, right) => prevailing(left, right), undefined);

describe('several records of one attempt', () => {
  test('come to the same cost in whatever order and however often they arrive', () => {
    fc.assert(
      fc.property(
        fc.array(anyCharge, { minLength: 1, maxLength: 6 }),
        fc.infiniteStream(fc.nat()),
        (charges, random) => {
          const shuffled = [...charges, ...charges]
            .map((charge) => ({ charge, key: random.next().value ?? 0 }))
            .sort((a, b) => a.key - b.key)
            .map(({ charge }) => charge);
          const priced = charges.filter(({ pico }) => pico !== undefined);
          const counted = priced.filter(({ estimated }) => !estimated);
          const pool = counted.length > 0 ? counted : priced;
          const expected = pool
            .map(({ pico }) => pico ?? 0n)
            .sort((a, b) => Number(a - b))
            .at(-1);

          expect(prevailOf(charges)?.pico).toBe(expected);
          expect(prevailOf(shuffled)?.pico).toBe(expected);
        },
      ),
    );
  });
});

describe('a message on the cost channel', () => {
  test('of another version, or with an amount that is none, is a charge of unknown cost', () => {
    const record = {
      version: 1,
      attemptId: 'a',
      modelId: 'm',
      costUsdExact: '0.5',
      unpriced: false,
      estimated: false,
    };
    expect(readCharge(record)?.pico).toBe(500_000_000_000n);
    expect(readCharge({ ...record, version: 2 })).toMatchObject({ attemptId: 'a', pico: undefined });
    expect(readCharge({ ...record, unpriced: true, costUsdExact: '0' })).toMatchObject({ pico: undefined });
    expect(readCharge({ ...record, costUsdExact: 0.5 })).toMatchObject({ pico: undefined });
    expect(readCharge({ ...record, costUsdExact: 'free' })).toMatchObject({
      attemptId: 'a',
      pico: undefined,
    });
  });

  test('that is no record at all is no charge, and no exception in whoever published it', () => {
    expect(readCharge(undefined)).toBeUndefined();
    expect(readCharge('hello')).toBeUndefined();
    expect(readCharge({ version: 1 })).toBeUndefined();
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('no');
        },
      },
    );
    expect(readCharge(hostile)).toBeUndefined();
  });
});
