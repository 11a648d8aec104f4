import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  BudgetExceededError,
  type BudgetMessage,
  ConfigError,
  channelNames,
  UnknownPriceError,
} from '@synapsekit/core';
import { ManualClock, sequentialIds } from '@synapsekit/testing';
import { describe, expect, test } from 'vitest';
import { prices } from '../test/flat-prices.ts';
import { TestTracker } from '../test/test-tracker.ts';
import { BudgetGuard } from './budget-guard.ts';
import { MemoryLedger } from './ledger/memory-ledger.ts';

const noon = Date.UTC(2026, 10, 23, 12);

describe('limits', () => {
  test.each([
    [{}, 'at least one'],
    [{ dayly: 5 }, 'Did you mean "daily"'],
    [{ unheard: 5 }, 'There are: perRequest, hourly, daily, weekly, monthly, total'],
    [{ daily: -1 }, 'daily'],
    [{ daily: Number.NaN }, 'daily'],
    [{ daily: Number.POSITIVE_INFINITY }, 'daily'],
    [{ daily: 'five' }, 'daily'],
    [{ daily: '0.0000000000001' }, 'daily'],
    [[5], 'limits'],
    [null, 'limits'],
  ])('%j is refused', (limits, message) => {
    expect(() => new BudgetGuard(limits as never)).toThrow(ConfigError);
    expect(() => new BudgetGuard(limits as never)).toThrow(message);
  });

  test.each([
    [{ name: '' }, 'name'],
    [{ timeZone: 'Mars/Olympus' }, 'timeZone'],
    [{ onExceeded: 'shrug' }, 'onExceeded'],
    [{ onExpiry: 'keep' }, 'onExpiry'],
    [{ onLostCall: 'ignore' }, 'onLostCall'],
    [{ onCutStream: 'guess' }, 'onCutStream'],
    [new TestTracker(), '{ tracker }'],
    [{ minOutputTokens: 0 }, 'minOutputTokens'],
    [{ defaultMaxOutputTokens: 1.5 }, 'defaultMaxOutputTokens'],
    [{ leaseMs: 0 }, 'leaseMs'],
    [{ ledgerTimeoutMs: Number.NaN }, 'ledgerTimeoutMs'],
    [{ tracker: {} }, 'tracker'],
    [{ prices: {} }, 'prices'],
    [{ ledger: {} }, 'ledger'],
    [{ tokenCounter: true }, 'tokenCounter'],
    [{ countsRecord: 5 }, 'countsRecord'],
    [{ zone: 'UTC' }, 'zone'],
  ])('options %o are refused', (options, name) => {
    expect(() => new BudgetGuard({ daily: 1 }, options as never)).toThrow(name);
  });

  test('amounts may be numbers or decimal strings', async () => {
    const guard = new BudgetGuard({ perRequest: '0.000000000001', daily: 5e-7 });
    const { limits } = await guard.status();
    expect(limits.map(({ limit, leftUsdExact }) => [limit, leftUsdExact])).toEqual([
      ['perRequest', '0.000000000001'],
      ['daily', '0.0000005'],
    ]);
  });
});

describe('checkBefore and checkAfter', () => {
  test('without a tracker, a guard still checks what one request may cost', async () => {
    const tight = new BudgetGuard({ perRequest: 0.000001 });
    await expect(tight.checkBefore(0.1)).rejects.toBeInstanceOf(BudgetExceededError);
    await tight.checkBefore(0.000001);
    await tight.checkBefore(0);
    await tight.checkAfter(0.000001);
    await expect(tight.checkAfter(0.1)).rejects.toThrow(
      'cost $0.10, more than the $0.000001 that perRequest allows',
    );
  });

  test('checkBefore(0) passes while anything is left, and no longer', async () => {
    const tracker = new TestTracker();
    const guard = new BudgetGuard({ daily: 0.1 }, { tracker });
    tracker.record('test', 'dime', { inputTokens: 1, outputTokens: 99 });
    await guard.checkBefore(0);
    await guard.checkBefore(0.001);
    await expect(guard.checkBefore('0.001000000001')).rejects.toMatchObject({
      limit: 'daily',
      fits: 'window',
    });
    tracker.record('test', 'dime', { inputTokens: 1, outputTokens: 1 });
    await expect(guard.checkBefore(0)).rejects.toThrow('nothing is left of the daily limit of $0.10');
    await expect(guard.checkBefore()).rejects.toBeInstanceOf(BudgetExceededError);
  });

  test('checkBefore books and holds nothing', async () => {
    const guard = new BudgetGuard({ daily: 1 });
    for (let i = 0; i < 100; i++) await guard.checkBefore(1);
    expect(await guard.status()).toMatchObject({ holds: 0, limits: [{ committedUsd: 0, heldUsd: 0 }] });
  });

  test('checkAfter passes at the limit and refuses beyond it', async () => {
    const tracker = new TestTracker();
    const guard = new BudgetGuard({ daily: 0.1 }, { tracker });
    await guard.checkAfter(tracker.record('test', 'dime', { inputTokens: 1, outputTokens: 100 }).costUsd);
    const { costUsd } = tracker.record('test', 'dime', { inputTokens: 1, outputTokens: 1 });
    await expect(guard.checkAfter(costUsd)).rejects.toThrow('the daily limit of $0.10');
  });

  test('checkAfter under a limit that counts, with nothing that counts, is a mistake', async () => {
    await expect(new BudgetGuard({ daily: 5 }).checkAfter(0.1)).rejects.toBeInstanceOf(ConfigError);
    await expect(new BudgetGuard({ daily: 5 }, { prices }).checkAfter(0.1)).rejects.toThrow('tracker');
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 'much'])('%s is no amount', async (amount) => {
    const guard = new BudgetGuard({ daily: 5 }, { tracker: new TestTracker() });
    await expect(guard.checkBefore(amount)).rejects.toBeInstanceOf(ConfigError);
    await expect(guard.checkAfter(amount)).rejects.toBeInstanceOf(ConfigError);
    await expect(guard.reserve(amount)).rejects.toBeInstanceOf(ConfigError);
    const hold = await guard.reserve(1);
    expect(() => hold.settle(amount)).toThrow(ConfigError);
    await hold.settle(0);
    expect((await guard.status()).limits[0]?.committedUsd).toBe(0);
  });
});

describe('holds by hand', () => {
  test('settle with less frees the rest; a bare number is booked beside what was recorded', async () => {
    const tracker = new TestTracker();
    const guard = new BudgetGuard({ total: 1 }, { tracker });
    const hold = await guard.reserve(0.5);
    const text = await hold.run(async (same) => {
      expect(same).toBe(hold);
      await Promise.resolve();
      tracker.record('test', 'dime', { inputTokens: 1, outputTokens: 100 });
      expect(hold.heldUsd).toBe(0.4);
      return 'done';
    });
    expect(text).toBe('done');
    expect((await guard.status()).limits).toMatchObject([{ committedUsd: 0.1, heldUsd: 0.4 }]);
    await hold.settle(0.05);
    expect((await guard.status()).limits).toMatchObject([{ committedUsd: 0.15, heldUsd: 0 }]);
  });

  test('settle with a record books it once, whether or not the tracker told of it', async () => {
    const tracker = new TestTracker();
    const other = new TestTracker();
    const guard = new BudgetGuard({ total: 1 }, { tracker });
    const told = await guard.reserve(0.5);
    await told.settle(tracker.record('test', 'dime', { inputTokens: 1, outputTokens: 100, attemptId: 'a' }));
    const untold = await guard.reserve(0.5);
    await untold.settle(other.record('test', 'dime', { inputTokens: 1, outputTokens: 100, attemptId: 'b' }));
    expect((await guard.status()).limits).toMatchObject([{ committedUsdExact: '0.2', heldUsdExact: '0' }]);
  });

  test('settle with a record without a price books what was held, as an estimate', async () => {
    const tracker = new TestTracker();
    const warnings: string[] = [];
    const guard = new BudgetGuard({ total: 1 }, { prices, onWarning: ({ code }) => warnings.push(code) });
    const hold = await guard.reserve(0.5);
    await hold.settle(tracker.record('nobody', 'nothing', { inputTokens: 1, outputTokens: 100 }));
    expect(await guard.status()).toMatchObject({ unpriced: 1, limits: [{ committedUsd: 0.5, heldUsd: 0 }] });
    expect(warnings).toEqual(['SYNAPSEKIT_BUDGET_UNPRICED']);
  });

  test('using releases what was not settled', async () => {
    const guard = new BudgetGuard({ total: 1 });
    {
      await using hold = await guard.reserve(0.5);
      expect(hold.heldUsd).toBe(0.5);
    }
    {
      using hold = await guard.reserve(1);
      await hold.settle(0.25);
    }
    await expect(
      (async () => {
        await using _ = await guard.reserve(0.75);
        throw new Error('on the way');
      })(),
    ).rejects.toThrow('on the way');
    expect((await guard.status()).limits).toMatchObject([{ committedUsd: 0.25, heldUsd: 0 }]);
  });

  test('for a planned call: the worst case, and how long an answer it covers', async () => {
    const guard = new BudgetGuard({ total: 1, perRequest: 0.05 }, { prices });
    const hold = await guard.reserve({ model: 'openai/gpt-4o', inputTokens: 1_000, maxOutputTokens: 500 });
    expect([hold.heldUsd, hold.maxOutputTokens]).toEqual([0.0075, 500]);
    const open = await guard.reserve({ provider: 'test', model: 'dime', inputTokens: 10 });
    expect([open.heldUsd, open.maxOutputTokens]).toEqual([0.05, 50]);
    await expect(guard.reserve({ model: 'unheard', inputTokens: 1 })).rejects.toBeInstanceOf(
      UnknownPriceError,
    );
    await expect(guard.reserve({ model: 'dime', tokens: 1 } as never)).rejects.toThrow('tokens');
    await expect(new BudgetGuard({ total: 1 }).reserve({ model: 'dime', inputTokens: 1 })).rejects.toThrow(
      ConfigError,
    );
  });

  test('a reservation that was aborted before takes nothing', async () => {
    const guard = new BudgetGuard({ total: 1 });
    await expect(guard.reserve(1, { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
    await guard.reserve(1);
  });

  test('holds at once keep their records apart', async () => {
    const tracker = new TestTracker();
    const guard = new BudgetGuard({ total: 100 }, { tracker });
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const hold = await guard.reserve(0.1);
        await hold.run(async () => {
          await new Promise((resolve) => setImmediate(resolve));
          tracker.record('test', 'dime', { inputTokens: 1, outputTokens: index, attemptId: `n${index}` });
        });
        expect(hold.heldUsd).toBeCloseTo(0.1 - index / 1_000, 12);
        await hold.release();
      }),
    );
    expect((await guard.status()).limits).toMatchObject([{ committedUsdExact: '4.95', heldUsdExact: '0' }]);
  });
});

describe('records', () => {
  test('are booked without a hold too, once, the first actual counts', async () => {
    const tracker = new TestTracker();
    const guard = new BudgetGuard({ total: 1 }, { tracker });
    const usage = { inputTokens: 1, outputTokens: 100, attemptId: 'a' };
    tracker.record('test', 'dime', { ...usage, outputTokens: 500, source: 'estimated' });
    tracker.record('test', 'dime', usage);
    tracker.record('test', 'dime', { ...usage, outputTokens: 900 });
    expect((await guard.status()).limits).toMatchObject([{ committedUsdExact: '0.1' }]);
  });

  test('without a price are counted and told of, once for each model', async () => {
    const tracker = new TestTracker();
    const told: (string | undefined)[] = [];
    const guard = new BudgetGuard({ total: 1 }, { tracker, onWarning: ({ model }) => told.push(model) });
    for (let i = 0; i < 5; i++) tracker.record('nobody', 'nothing', { inputTokens: 1, outputTokens: 1 });
    expect(await guard.status()).toMatchObject({ unpriced: 5, limits: [{ committedUsd: 0 }] });
    expect(told).toEqual(['nobody/nothing']);
  });

  test('a guard of one user counts that user only; what runs under its holds it counts anyway', async () => {
    const tracker = new TestTracker();
    const guard = new BudgetGuard({ total: 1 }, { tracker, countsRecord: ({ model }) => model !== 'dime' });
    const usage = { inputTokens: 0, outputTokens: 100 };
    tracker.record('test', 'dime', usage);
    tracker.record('openai', 'gpt-4o', usage);
    const hold = await guard.reserve(0.5);
    await hold.run(() => tracker.record('test', 'dime', usage));
    await hold.release();
    expect((await guard.status()).limits).toMatchObject([{ committedUsdExact: '0.101' }]);
  });

  test('are no longer booked after dispose', async () => {
    const tracker = new TestTracker();
    const guard = new BudgetGuard({ total: 1 }, { tracker });
    await guard.dispose();
    tracker.record('test', 'dime', { inputTokens: 0, outputTokens: 100 });
    expect((await guard.status()).limits).toMatchObject([{ committedUsd: 0 }]);
  });
});

describe('what a guard tells', () => {
  test('status: every limit with its window, what is spent, held and left, refusals and utilisation', async () => {
    const clock = new ManualClock({ wallMs: noon });
    const guard = new BudgetGuard({ perRequest: 2, daily: 4, total: 10 }, { clock, name: 'app' });
    await (await guard.reserve(1)).settle(1);
    await guard.reserve(0.5);
    await expect(guard.reserve(3)).rejects.toThrow('perRequest');
    await guard.reserve(2);
    await expect(guard.reserve(2)).rejects.toThrow('daily');
    const status = await guard.status();
    expect(JSON.parse(JSON.stringify(status))).toEqual(status);
    expect(status).toEqual({
      guard: 'app',
      holds: 2,
      queued: 0,
      pendingPosts: 0,
      failedPosts: 0,
      unpriced: 0,
      unattributed: 0,
      tokenLimits: [],
      limits: [
        {
          limit: 'perRequest',
          limitUsd: 2,
          committedUsd: 0,
          committedUsdExact: '0',
          heldUsd: 0,
          heldUsdExact: '0',
          leftUsd: 2,
          leftUsdExact: '2',
          refusals: 1,
          utilisation: 0,
        },
        {
          limit: 'daily',
          window: '2026-11-23',
          limitUsd: 4,
          committedUsd: 1,
          committedUsdExact: '1',
          heldUsd: 2.5,
          heldUsdExact: '2.5',
          leftUsd: 0.5,
          leftUsdExact: '0.5',
          resetsAtMs: Date.UTC(2026, 10, 24),
          refusals: 1,
          utilisation: 0.25,
        },
        {
          limit: 'total',
          limitUsd: 10,
          committedUsd: 1,
          committedUsdExact: '1',
          heldUsd: 2.5,
          heldUsdExact: '2.5',
          leftUsd: 6.5,
          leftUsdExact: '6.5',
          refusals: 0,
          utilisation: 0.1,
        },
      ],
    });
    expect(guard.remaining().map(({ limit, leftUsd }) => [limit, leftUsd])).toEqual([
      ['daily', 0.5],
      ['perRequest', 2],
      ['total', 6.5],
    ]);
  });

  test('of several limits that refuse, the one that takes longest to reset is named', async () => {
    const clock = new ManualClock({ wallMs: noon });
    const guard = new BudgetGuard({ hourly: 1, daily: 1, monthly: 1 }, { clock });
    await (await guard.reserve(1)).settle(1);
    await expect(guard.reserve(0.5)).rejects.toMatchObject({
      limit: 'monthly',
      window: '2026-11',
      resetsAtMs: Date.UTC(2026, 11, 1),
    });
  });

  test('a message for people: which limit, what is left, what to do', async () => {
    const clock = new ManualClock({ wallMs: noon });
    const guard = new BudgetGuard({ daily: '0.00005' }, { clock, name: 'app' });
    await (await guard.reserve('0.00004')).settle('0.00003');
    await guard.reserve('0.000011');
    await expect(guard.reserve('0.0000123')).rejects.toThrow(
      'Budget "app": the call may cost up to $0.0000123, but the daily limit of $0.00005 (2026-11-23) has $0.000009 left, with $0.00003 spent and $0.000011 held by calls in flight. It may fit once calls in flight have settled.',
    );
    await expect(guard.reserve('0.000021')).rejects.toThrow(
      'The limit starts afresh at 2026-11-24T00:00:00.000Z.',
    );
    await expect(guard.reserve(1)).rejects.toThrow(
      'Lower maxTokens, shorten the prompt, take a cheaper model',
    );
  });

  test('the synapsekit:budget channel: holds, bookings, refusals, closes', async () => {
    const messages: BudgetMessage[] = [];
    const listener = (message: unknown): void => {
      messages.push(message as BudgetMessage);
    };
    subscribe(channelNames.budget, listener);
    try {
      const guard = new BudgetGuard({ daily: 1 }, { name: 'heard', ids: sequentialIds('hold') });
      const hold = await guard.reserve(0.5);
      await guard.reserve(0.75).catch(() => {});
      await hold.settle(0.25);
    } finally {
      unsubscribe(channelNames.budget, listener);
    }
    const base = { version: 1, guard: 'heard' };
    expect(messages).toEqual([
      { ...base, type: 'hold', holdId: 'hold-1', amountUsd: '0.5' },
      { ...base, type: 'refusal', limit: 'daily', amountUsd: '0.75' },
      { ...base, type: 'booking', holdId: 'hold-1', attemptId: 'hold-1:settled', amountUsd: '0.25' },
      { ...base, type: 'close', holdId: 'hold-1' },
    ]);
    expect(messages.every(Object.isFrozen)).toBe(true);
  });
});

test('a ledger of coarser units: everything rounds against the spender', async () => {
  const fine = new MemoryLedger();
  const coarse = Object.create(fine, { unitPico: { value: 1_000_000n } });
  for (const name of ['reserve', 'post', 'close', 'renew', 'status', 'flush', 'dispose'] as const) {
    Object.defineProperty(coarse, name, { value: fine[name].bind(fine) });
  }
  const guard = new BudgetGuard({ total: '0.0000035' }, { ledger: coarse });
  const hold = await guard.reserve('0.0000000001');
  expect((await guard.status()).limits[0]?.heldUsdExact).toBe('0.000001');
  await hold.settle('0.0000010000001');
  expect((await guard.status()).limits[0]?.committedUsdExact).toBe('0.000002');
  await expect(guard.reserve('0.0000011')).rejects.toBeInstanceOf(BudgetExceededError);
  await guard.reserve('0.000001');
});
