import { ManualClock } from '@synapsekit/testing';
import { describeLedgerStore } from '@synapsekit/testing/contracts';
import { describe, expect, test } from 'vitest';
import { MemoryLedger } from './memory-ledger.ts';

describeLedgerStore('MemoryLedger', () => {
  const clock = new ManualClock();
  const ledger = new MemoryLedger({ clock });
  return {
    open: () => ledger,
    advance: (ms) => clock.advance(ms),
    stepWall: (ms) => clock.setWall(clock.now() + ms),
  };
});

describe('MemoryLedger', () => {
  const window = (day: number, endsAtMs: number) => ({ id: `2026-11-${day}@UTC`, endsAtMs });
  const dayMs = 86_400_000;

  test('forgets windows some time after their end, and only then', async () => {
    const startMs = Date.UTC(2026, 10, 23);
    const clock = new ManualClock({ wallMs: startMs });
    const ledger = new MemoryLedger({ clock, graceMs: 3_600_000 });
    const lines = [{ key: 'daily', window: window(23, startMs + dayMs), amount: 5n }];
    ledger.post({ attemptId: 'x', lines, kind: 'actual' });
    await clock.advance(dayMs + 60_000);
    ledger.status([]);
    expect(ledger.size.counters).toBe(1);
    await clock.advance(3_700_000);
    ledger.status([]);
    expect(ledger.size.counters).toBe(0);
  });

  test('a wall clock that jumps ahead and back wipes no spend', async () => {
    const startMs = Date.UTC(2026, 10, 23);
    const clock = new ManualClock({ wallMs: startMs });
    const ledger = new MemoryLedger({ clock, graceMs: 3_600_000 });
    const key = { key: 'daily', window: window(23, startMs + dayMs) };
    ledger.post({ attemptId: 'x', lines: [{ ...key, amount: 5n }], kind: 'actual' });
    clock.setWall(startMs + 30 * dayMs);
    ledger.status([]);
    await clock.advance(60_000);
    clock.setWall(startMs + 60_000);
    await clock.advance(7_200_000);
    expect(ledger.status([key])).toMatchObject([{ committed: 5n }]);
  });

  test('forgets a counter of a rolling window when nothing is left in it, and not before', async () => {
    const clock = new ManualClock();
    const ledger = new MemoryLedger({ clock });
    const key = { key: 'recent', window: { id: 'rolling-60s', lengthMs: 60_000, slots: 6 } };
    ledger.post({ attemptId: 'x', lines: [{ ...key, amount: 5n }], kind: 'actual' });
    await clock.advance(69_000);
    ledger.status([]);
    expect(ledger.size.counters).toBe(1);
    await clock.advance(2_000);
    ledger.status([]);
    expect(ledger.size.counters).toBe(0);
    // Whoever still knows the counter changes nothing else.
    ledger.post({ attemptId: 'x', lines: [{ ...key, amount: 9n }], kind: 'actual' });
    expect(ledger.status([key])).toMatchObject([{ committed: 0n, held: 0n }]);
  });

  test('keeps a counter of a rolling window while an estimate in it can be replaced', async () => {
    const clock = new ManualClock();
    const ledger = new MemoryLedger({ clock });
    const key = { key: 'recent', window: { id: 'rolling-60s', lengthMs: 60_000, slots: 6 } };
    ledger.post({ attemptId: 'x', lines: [{ ...key, amount: 0n }], kind: 'estimated' });
    await clock.advance(5_000);
    expect(ledger.status([key])).toMatchObject([{ committed: 0n }]);
    ledger.post({ attemptId: 'x', lines: [{ ...key, amount: 7n }], kind: 'actual' });
    expect(ledger.status([key])).toMatchObject([{ committed: 7n }]);
  });

  test('live holds survive the forgetting of ids, and end once', () => {
    const ledger = new MemoryLedger({ rememberCount: 10 });
    const key = { key: 'total', window: { id: 'total' } };
    const reserve = (holdId: string) =>
      ledger.reserve({
        holdId,
        lines: [{ ...key, limit: 10n ** 12n, amount: 1n }],
        leaseMs: 60_000,
        onExpiry: 'book',
      });
    for (let i = 0; i < 100; i++) reserve(`live-${i}`);
    for (let i = 0; i < 1_000; i++) {
      reserve(`short-${i}`);
      ledger.close(`short-${i}`);
    }
    for (let i = 0; i < 100; i++) reserve(`live-${i}`); // known: nothing is held twice
    expect(ledger.status([key])).toMatchObject([{ committed: 0n, held: 100n }]);
    for (let i = 0; i < 100; i++) ledger.close(`live-${i}`);
    expect(ledger.status([key])).toMatchObject([{ committed: 0n, held: 0n }]);
    expect(ledger.size.holds).toBe(0);
  });

  test('100,000 calls leave no holds and a bounded number of ids', () => {
    const ledger = new MemoryLedger({ rememberCount: 1_000 });
    const key = { key: 'total', window: { id: 'total' } };
    for (let i = 0; i < 100_000; i++) {
      const holdId = `hold-${i}`;
      ledger.reserve({
        holdId,
        lines: [{ ...key, limit: 10n ** 12n, amount: 10n }],
        leaseMs: 60_000,
        onExpiry: 'book',
      });
      ledger.post({
        attemptId: `x-${i}`,
        holdId,
        lines: [{ ...key, amount: 7n }],
        kind: 'actual',
        close: true,
      });
    }
    expect(ledger.status([key])).toMatchObject([{ committed: 700_000n, held: 0n }]);
    expect(ledger.size.holds).toBe(0);
    expect(ledger.size.ids).toBeLessThanOrEqual(4_000);
  });

  test.each([
    [{ rememberMs: -1 }, 'rememberMs'],
    [{ rememberCount: 0 }, 'rememberCount'],
    [{ graceMs: Number.NaN }, 'graceMs'],
    [{ ttl: 5 }, 'ttl'],
  ])('refuses %o', (options, option) => {
    expect(() => new MemoryLedger(options as never)).toThrow(option);
  });
});
