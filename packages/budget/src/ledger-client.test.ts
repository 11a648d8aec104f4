import { isSynapseError, LedgerError, type LedgerStore, wrap } from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import { describe, expect, test } from 'vitest';
import { TestProvider } from '../test/test-model.ts';
import { TestTracker } from '../test/test-tracker.ts';
import { BudgetGuard } from './budget-guard.ts';
import { enforceBudget } from './enforce-budget.ts';
import { MemoryLedger } from './ledger/memory-ledger.ts';

type Mode = 'well' | 'slow' | 'away' | 'dead' | 'silent' | 'broken';

/** A store that can be away (fails), dead (throws anything), silent (never answers), slow, or broken (refuses for good). */
class MoodyLedger implements LedgerStore {
  readonly unitPico = 1n;
  readonly inner: MemoryLedger;
  mode: Mode = 'well';
  /** Names of the operations it was asked for. */
  readonly asked: string[] = [];
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    this.#clock = clock;
    this.inner = new MemoryLedger({ clock });
  }

  reserve: LedgerStore['reserve'] = (request) => this.#answer('reserve', () => this.inner.reserve(request));
  post: LedgerStore['post'] = (request) => this.#answer('post', () => this.inner.post(request));
  close: LedgerStore['close'] = (holdId) => this.#answer('close', () => this.inner.close(holdId));
  renew: LedgerStore['renew'] = (holdId, leaseMs) =>
    this.#answer('renew', () => this.inner.renew(holdId, leaseMs));
  status: LedgerStore['status'] = (keys) => this.#answer('status', () => this.inner.status(keys));
  flush: LedgerStore['flush'] = () => this.#answer('flush', () => {});
  dispose: LedgerStore['dispose'] = () => {};

  #answer<T>(name: string, operation: () => T): T | Promise<T> {
    this.asked.push(name);
    switch (this.mode) {
      case 'well':
        return operation();
      case 'slow':
        return this.#clock.sleep(20).then(operation);
      case 'away':
        return Promise.reject(new LedgerError('away', { transient: true }));
      case 'dead':
        throw new TypeError('no such socket');
      case 'silent':
        return new Promise(() => {});
      case 'broken':
        return Promise.reject(new LedgerError('corrupt', { transient: false }));
    }
  }
}

function world(limits = { daily: 1 }) {
  const clock = new ManualClock({ wallMs: Date.UTC(2026, 10, 23, 12) });
  const ledger = new MoodyLedger(clock);
  const tracker = new TestTracker();
  const warnings: string[] = [];
  const guard = new BudgetGuard(limits, {
    ledger,
    clock,
    tracker,
    onWarning: ({ code }) => warnings.push(code),
  });
  /** Waits for `work` while time passes; says how much passed. */
  const during = async <T>(
    work: Promise<T>,
  ): Promise<{ result: PromiseSettledResult<T>; tookMs: number }> => {
    const startMs = clock.monotonic();
    let result: PromiseSettledResult<T> | undefined;
    void Promise.allSettled([work]).then(([settled]) => {
      result = settled;
    });
    while (result === undefined) await clock.advance(10);
    return { result, tookMs: clock.monotonic() - startMs };
  };
  return { clock, ledger, tracker, guard, warnings, during };
}

const spend = { inputTokens: 0, outputTokens: 100 };

describe('a ledger that cannot be asked', () => {
  test.each(['away', 'dead', 'silent'] as const)(
    '%s: refused as transient, within the time-out, nothing sent',
    async (mode) => {
      const { guard, ledger, during } = world();
      const provider = new TestProvider();
      const llm = wrap(provider.model('test', 'dime'), enforceBudget(guard));
      ledger.mode = mode;
      const works: (() => Promise<unknown>)[] = [
        () => guard.reserve(0.1),
        () => llm.generate('Hi'),
        () => llm.stream('Hi').result,
        () => guard.checkBefore(0),
        () => guard.status(),
      ];
      for (const work of works) {
        const { result, tookMs } = await during(work());
        expect(result.status).toBe('rejected');
        const error = result.status === 'rejected' ? result.reason : undefined;
        expect(isSynapseError(error, 'ledger') && error.transient).toBe(true);
        expect(tookMs).toBeLessThanOrEqual(2_100);
      }
      expect(provider.arrived).toEqual([]);
    },
  );

  test('late with what was booked: a refusal stays one, however long it was waited for', async () => {
    const { guard, ledger, clock, during } = world();
    const hold = await guard.reserve(0.9);
    ledger.mode = 'silent';
    void hold.settle(0.9); // asked again after 2 s, and there 70 ms later
    ledger.mode = 'slow';
    await clock.advance(80);
    const { result, tookMs } = await during(guard.reserve(0.5));
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'budget-exceeded' } });
    expect(tookMs).toBeLessThanOrEqual(2_000);
  });

  test('late with what was spent: a limit that only warns stays none', async () => {
    const { clock, ledger, tracker, during } = world();
    const guard = new BudgetGuard(
      { daily: 0.1 },
      { ledger, clock, tracker, onExceeded: 'warn', onWarning: () => {} },
    );
    ledger.mode = 'silent';
    tracker.record('test', 'dime', spend);
    ledger.mode = 'well';
    await during(guard.reserve(0.5));
    expect(ledger.inner.counters()).toEqual([
      expect.objectContaining({ key: 'default/daily', held: 500_000_000_000n }),
    ]);
    expect(ledger.inner.counters()[0]?.limit).toBeUndefined();
  });

  test('broken: refused at once, and not as transient', async () => {
    const { guard, ledger, during } = world();
    ledger.mode = 'broken';
    const { result, tookMs } = await during(guard.reserve(0.1));
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'ledger', transient: false } });
    expect(tookMs).toBeLessThanOrEqual(50);
  });

  test('back in time: asked again with the same id, and nothing is held twice', async () => {
    const { guard, ledger, clock, during } = world();
    ledger.mode = 'away';
    clock.timer(500, () => {
      ledger.mode = 'well';
    });
    const { result } = await during(guard.reserve(0.7));
    expect(result.status).toBe('fulfilled');
    expect((await guard.status()).limits).toMatchObject([{ heldUsd: 0.7 }]);
  });

  test('an abort ends the wait at once, and gives back what the store may have held', async () => {
    const { guard, ledger, clock, during } = world();
    ledger.mode = 'silent';
    const abort = new AbortController();
    clock.timer(100, () => abort.abort(new Error('stop')));
    const { result, tookMs } = await during(guard.reserve(0.7, { signal: abort.signal }));
    expect(result).toMatchObject({ status: 'rejected', reason: { message: 'stop' } });
    expect(tookMs).toBeLessThanOrEqual(120);
    ledger.mode = 'well';
    await during(guard.flush());
    expect(ledger.asked).toContain('close');
  });

  test('a reservation that was given up on, and arrives late, holds nothing', async () => {
    const { guard, ledger, during, clock } = world();
    let arrive = (): void => {};
    ledger.reserve = (request) =>
      new Promise((resolve, reject) => {
        arrive = () => {
          try {
            resolve(ledger.inner.reserve(request));
          } catch (error) {
            reject(error);
          }
        };
      });
    const { result } = await during(guard.reserve(0.7));
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'ledger', transient: true } });
    await clock.advance(0);
    arrive();
    expect((await guard.status()).limits).toMatchObject([{ heldUsd: 0 }]);
  });
});

describe('bookings on their way', () => {
  test('a flush waits for those that were made before it, whatever comes meanwhile', async () => {
    const { clock, guard, ledger, tracker, during } = world();
    ledger.mode = 'slow';
    tracker.record('test', 'dime', { ...spend, attemptId: 'before' });
    const flushed = guard.flush();
    await clock.advance(10);
    tracker.record('test', 'dime', { ...spend, attemptId: 'meanwhile' });
    expect((await during(flushed)).result.status).toBe('fulfilled');
  });

  test('count against admission, and reach the store when it is back', async () => {
    const { guard, ledger, tracker, during } = world();
    ledger.mode = 'away';
    for (let i = 0; i < 9; i++) tracker.record('test', 'dime', { ...spend, attemptId: `a${i}` });
    const post = ledger.post;
    ledger.mode = 'well';
    ledger.post = () => Promise.reject(new LedgerError('away', { transient: true }));
    const refused = await during(guard.reserve(0.2));
    expect(refused.result).toMatchObject({
      status: 'rejected',
      reason: { committedUsd: '0.9', fits: 'window' },
    });
    expect((await during(guard.reserve(0.1))).result.status).toBe('fulfilled');
    const flushed = await during(guard.flush());
    expect(flushed.result).toMatchObject({ status: 'rejected', reason: { code: 'ledger', transient: true } });
    ledger.post = post;
    await during(guard.flush());
    expect(await guard.status()).toMatchObject({
      pendingPosts: 0,
      limits: [{ committedUsdExact: '0.9', heldUsdExact: '0.1' }],
    });
  });

  test('arrive by themselves, without anybody asking', async () => {
    const { guard, ledger, tracker, clock } = world();
    ledger.mode = 'dead';
    tracker.record('test', 'dime', spend);
    await clock.advance(10_000);
    ledger.mode = 'well';
    await clock.advance(10_000);
    expect((await guard.status()).limits).toMatchObject([{ committedUsdExact: '0.1' }]);
  });

  test('of a store that never answers are sent again', async () => {
    const { guard, ledger, tracker, clock } = world();
    ledger.mode = 'silent';
    tracker.record('test', 'dime', spend);
    await clock.advance(1_000);
    ledger.mode = 'well';
    await clock.advance(10_000);
    expect((await guard.status()).limits).toMatchObject([{ committedUsdExact: '0.1' }]);
  });

  test('that the store refuses for good go on counting here, and are told of', async () => {
    const { guard, ledger, tracker, warnings, during } = world();
    ledger.post = () => Promise.reject(new LedgerError('corrupt', { transient: false }));
    tracker.record('test', 'dime', spend);
    const hold = await guard.reserve(0.3);
    await during(hold.settle(0.2));
    expect(await guard.status()).toMatchObject({ failedPosts: 2, pendingPosts: 0 });
    expect(warnings).toEqual(['SYNAPSEKIT_BUDGET_NOT_BOOKED']);
    expect((await during(guard.reserve(0.9))).result.status).toBe('rejected');
    expect((await during(guard.flush())).result).toMatchObject({ reason: { transient: false } });
  });

  test('settle does not wait for a dead store, and the call keeps its answer', async () => {
    const { guard, ledger, during } = world();
    const provider = new TestProvider();
    const llm = wrap(provider.model('test', 'dime'), enforceBudget(guard));
    const hold = await guard.reserve(0.2);
    const call = llm.generate('Hi', {
      maxTokens: 100,
      onAttemptStart: () => {
        ledger.mode = 'away';
      },
    });
    const answered = await during(call);
    expect(answered.result.status).toBe('fulfilled');
    expect(answered.tookMs).toBeLessThan(100);
    const settled = await during(hold.settle(0.1));
    expect(settled.result.status).toBe('fulfilled');
    expect(settled.tookMs).toBeLessThanOrEqual(2_100);
    expect(guard.remaining()).toHaveLength(1);
    ledger.mode = 'well';
    await during(guard.flush());
    expect((await guard.status()).limits).toMatchObject([{ committedUsdExact: '0.2', heldUsdExact: '0' }]);
  });

  test('on a slow store: sequential calls that fit one after the other are not refused for each other', async () => {
    const { guard, ledger, during } = world({ daily: 0.25 });
    const provider = new TestProvider();
    const llm = wrap(
      provider.model('test', 'dime', () => 10),
      enforceBudget(guard),
    );
    ledger.mode = 'slow';
    for (let i = 0; i < 10; i++) {
      expect((await during(llm.generate('Hi', { maxTokens: 150 }))).result.status).toBe('fulfilled');
    }
    await during(guard.flush());
    ledger.mode = 'well';
    expect((await guard.status()).limits).toMatchObject([{ committedUsdExact: '0.1', heldUsdExact: '0' }]);
  });
});
