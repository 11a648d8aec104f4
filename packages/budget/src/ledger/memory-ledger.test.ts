import { ManualClock } from '@synapsekit/testing';
import { describeLedgerStore } from '@synapsekit/testing/contracts';
import { describe, expect, test } from 'vitest';
import { MemoryLedger } from './memory-ledger.ts';

describeLedgerStore('MemoryLedger', () => {
  const clock = new ManualClock();
  const ledger = new MemoryLedger({ clock });
  return { open: () => ledger, advance: (ms) => clock.advance(ms) };
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
