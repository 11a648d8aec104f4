import type { LedgerStore, ReserveResult } from '@synapsekit/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { untrue } from './claims.ts';
import { mixedLoad } from './mixed-load.ts';
import { Oracle } from './oracle.ts';
import { Store } from './store.ts';

describe('Oracle', () => {
  const counters = ['daily'];

  test('a refusal is false if the real costs of all would have fit', () => {
    const oracle = new Oracle(() => 100n);
    oracle.billed(1, counters, 40n, 0n);
    oracle.admitted(2, counters, 30n);
    expect(oracle.wouldHaveFit(counters, 30n)).toBe(true);
    expect(oracle.wouldHaveFit(counters, 31n)).toBe(false);
    oracle.billed(2, counters, 10n, 0n); // what was to come is there: nothing changes
    expect(oracle.wouldHaveFit(counters, 30n)).toBe(true);
    expect(oracle.wouldHaveFit(counters, 31n)).toBe(false);
    oracle.ended(2);
    expect(oracle.wouldHaveFit(counters, 50n)).toBe(true);
    expect(oracle.wouldHaveFit([...counters, 'total'], 101n)).toBe(false);
  });

  test('overshoot is what no call above its hold explains, at the worst of all limits', () => {
    const oracle = new Oracle((name) => (name === 'daily' ? 100n : 1_000n));
    oracle.billed(1, ['daily', 'total'], 100n, 0n);
    expect(oracle.overshootPico).toBe(0n);
    oracle.billed(2, ['daily', 'total'], 20n, 20n);
    expect([oracle.overshootPico, oracle.explainedPico]).toEqual([0n, 20n]);
    oracle.billed(3, ['daily'], 5n, 0n);
    expect([oracle.overshootPico, oracle.explainedPico]).toEqual([5n, 25n]);
  });
});

describe('the proof turns red', () => {
  let store: Store;
  beforeAll(async () => {
    store = await Store.start('memory');
  });
  afterAll(() => store.dispose());

  const broken = async (change: (ledger: LedgerStore) => Partial<LedgerStore>): Promise<string> => {
    const row = await mixedLoad(store, {
      calls: 600,
      seed: 7,
      onExceeded: 'block',
      wrapLedger: (ledger) => ({
        unitPico: ledger.unitPico,
        reserve: (request) => ledger.reserve(request),
        post: (request) => ledger.post(request),
        close: (holdId) => ledger.close(holdId),
        renew: (holdId, leaseMs) => ledger.renew(holdId, leaseMs),
        status: (keys) => ledger.status(keys),
        flush: () => ledger.flush(),
        dispose: () => ledger.dispose(),
        ...change(ledger),
      }),
    });
    return untrue([row]).join('\n');
  };

  test('for a ledger that admits everything', async () => {
    const admitted: ReserveResult = { admitted: true };
    const text = await broken((ledger) => ({
      async reserve(request) {
        await ledger.reserve({
          ...request,
          lines: request.lines.map((line) => ({ ...line, limit: 2n ** 62n })),
        });
        return admitted;
      },
    }));
    expect(text).toContain('not true that nothing is spent above a limit');
  });

  test('for one that loses a booking now and then', async () => {
    let posts = 0;
    const text = await broken((ledger) => ({
      post: (request) => (++posts % 50 === 0 ? [] : ledger.post(request)),
    }));
    expect(text).toContain('not true that the total is what the provider bills');
  });

  test('for one that books to the pico-dollar, but one too many', async () => {
    let posts = 0;
    const text = await broken((ledger) => ({
      post: (request) =>
        ledger.post(
          ++posts === 100
            ? { ...request, lines: request.lines.map((line) => ({ ...line, amount: line.amount + 1n })) }
            : request,
        ),
    }));
    expect(text).toContain('not true that the total is what the provider bills');
  });

  test('for one that leaves holds behind', async () => {
    const text = await broken((ledger) => ({
      close: () => {},
      post: (request) => ledger.post({ ...request, close: false }),
    }));
    expect(text).toContain('not true that no hold is left');
  });

  test('for one that refuses too much', async () => {
    const text = await broken((ledger) => ({
      reserve: (request) =>
        ledger.reserve({
          ...request,
          lines: request.lines.map((line) => ({ ...line, limit: line.limit / 2n })),
        }),
    }));
    expect(text).toContain('not true that at most 1 %');
  });
});
