import {
  BudgetExceededError,
  ConfigError,
  defineLLM,
  type LedgerStore,
  type LLM,
  UnknownPriceError,
  wrap,
} from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import { describe, expect, test, vi } from 'vitest';
import { prices } from '../test/flat-prices.ts';
import { TestProvider } from '../test/test-model.ts';
import { BudgetGuard } from './budget-guard.ts';
import { enforceBudget } from './enforce-budget.ts';
import { MemoryLedger } from './ledger/memory-ledger.ts';
import type { BudgetWarning } from './warning.ts';

const maxTokens = 100; // of test/dime: ten cents; of groq: $0.000008
const noon = Date.UTC(2026, 10, 23, 12);

async function state(guard: BudgetGuard) {
  const { holds, queued, limits } = await guard.status();
  const { committedUsdExact: committed, heldUsdExact: held } = limits.at(-1) ?? {};
  return { holds, queued, committed, held };
}

describe('downgrade', () => {
  const models = (provider = new TestProvider()) => ({
    provider,
    dear: provider.model('test', 'dime'),
    mini: provider.model('openai', 'gpt-4o-mini', () => 50),
    nano: provider.model('groq', 'llama-3.1-8b-instant', () => 50),
  });

  test('asks the first of the cheaper models that fits, and holds and books for that one', async () => {
    const { provider, dear, mini, nano } = models();
    const guard = new BudgetGuard({ total: '0.00005' }, { prices, onExceeded: 'downgrade' });
    const llm = wrap(dear, enforceBudget(guard, { downgradeTo: [mini, nano] }));
    const answer = await llm.generate('Hi', { maxTokens }); // mini needs 0.0000618 for its 100 tokens
    expect(answer).toMatchObject({ provider: 'groq', servedBy: 'groq/llama-3.1-8b-instant' });
    expect(provider.arrived).toHaveLength(1);
    const { pico } = { pico: provider.billPico };
    expect(await state(guard)).toEqual({
      holds: 0,
      queued: 0,
      committed: `0.${String(pico).padStart(12, '0')}`.replace(/0+$/, ''),
      held: '0',
    });
    expect((await llm.stream('Hi', { maxTokens }).result).provider).toBe('groq');
  });

  test('where the call fits, nothing changes', async () => {
    const { dear, mini } = models();
    const guard = new BudgetGuard({ total: 1 }, { prices, onExceeded: 'downgrade' });
    const llm = wrap(dear, enforceBudget(guard, { downgradeTo: [mini] }));
    expect((await llm.generate('Hi', { maxTokens })).servedBy).toBe('test/dime');
    expect(llm.candidates?.().map(({ id }) => id)).toEqual(['test/dime', 'gpt-4o-mini']);
    expect(llm.quoteHold?.('Hi', { maxTokens })?.pico).toBeLessThan(100_000_000n); // what it needs at least
  });

  test('where none fits, it is refused with what the cheapest would need', async () => {
    const { provider, dear, mini } = models();
    const guard = new BudgetGuard({ total: '0.00001' }, { prices, onExceeded: 'downgrade' });
    const llm = wrap(dear, enforceBudget(guard, { downgradeTo: [mini] }));
    const error = await llm.generate('Hi', { maxTokens }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BudgetExceededError);
    expect(Number((error as BudgetExceededError).neededUsd)).toBeLessThan(0.0001);
    expect(provider.arrived).toEqual([]);
    expect((await guard.status()).limits).toMatchObject([{ refusals: 1 }]);
  });

  test('a cheaper model that the same guard guards shares the hold', async () => {
    const { provider, dear, mini } = models();
    const guard = new BudgetGuard({ total: '0.0001' }, { prices, onExceeded: 'downgrade' });
    const inner = wrap(mini, enforceBudget(guard, { downgradeTo: [models().nano] }));
    await wrap(dear, enforceBudget(guard, { downgradeTo: [inner] })).generate('Hi', { maxTokens });
    expect(await state(guard)).toMatchObject({ holds: 0, held: '0' });
    expect(provider.arrived).toHaveLength(1);
  });

  test('a cheaper model without a price is an error, not a way round the limit', async () => {
    const { provider, dear } = models();
    const guard = new BudgetGuard({ total: '0.00001' }, { prices, onExceeded: 'downgrade' });
    const llm = wrap(dear, enforceBudget(guard, { downgradeTo: [provider.model('no', 'price')] }));
    await expect(llm.generate('Hi', { maxTokens })).rejects.toThrow(UnknownPriceError);
  });

  test('the guard and the middleware have to agree', () => {
    const { mini } = models();
    const blocking = new BudgetGuard({ total: 1 }, { prices });
    const downgrading = new BudgetGuard({ total: 1 }, { prices, onExceeded: ['downgrade', 'queue'] });
    expect(() => enforceBudget(downgrading)).toThrow('downgradeTo');
    expect(() => enforceBudget(blocking, { downgradeTo: [mini] })).toThrow('onExceeded');
    expect(() => enforceBudget(downgrading, { downgradeTo: [{}] as never })).toThrow(ConfigError);
    expect(() => enforceBudget(downgrading, { downgrade: [mini] } as never)).toThrow('downgrade');
    expect(() => new BudgetGuard({ total: 1 }, { onExceeded: ['clamp', 'que'] as never })).toThrow(
      'onExceeded',
    );
  });
});

describe('warn', () => {
  test('lets through what does not fit, books it, and says so once per limit', async () => {
    const warnings: BudgetWarning[] = [];
    const guard = new BudgetGuard(
      { perRequest: 0.05, total: 0.15 },
      { prices, onExceeded: 'warn', onWarning: (warning) => warnings.push(warning) },
    );
    const llm = wrap(new TestProvider().model('test', 'dime'), enforceBudget(guard));
    await Promise.all(Array.from({ length: 20 }, () => llm.generate('Hi', { maxTokens })));
    await guard.reserve(5).then((hold) => hold.settle(1));
    expect(await state(guard)).toEqual({ holds: 0, queued: 0, committed: '3', held: '0' });
    expect(warnings.map(({ code, subject }) => [code, subject])).toEqual([
      ['SYNAPSEKIT_BUDGET_OVERRUN', ' perRequest '],
    ]);
    expect(warnings[0]?.message).toContain('It was let through');
    expect((await guard.status()).limits).toMatchObject([{ refusals: 0 }, { refusals: 0 }]);
  });

  test('a retry inside the call is let through too', async () => {
    const guard = new BudgetGuard({ total: '0.1' }, { prices, onExceeded: 'warn', onWarning: () => {} });
    const provider = new TestProvider();
    const model = provider.model('test', 'dime');
    const twice: LLM = {
      ...model,
      generate: async (prompt, options) => {
        await model.generate(prompt, options);
        return model.generate(prompt, options);
      },
    };
    await wrap(twice, enforceBudget(guard)).generate('Hi', { maxTokens });
    expect(await state(guard)).toMatchObject({ committed: '0.2', held: '0' });
  });
});

describe('queue', () => {
  /** A model that answers when it is told to. */
  function gated() {
    const gates: (() => void)[] = [];
    const order: string[] = [];
    const llm = defineLLM({
      provider: 'test',
      model: 'dime',
      generate: async (prompt) => {
        order.push(String(prompt));
        await new Promise<void>((resolve) => gates.push(resolve));
        return { text: 'word', usage: { inputTokens: 0, outputTokens: maxTokens / 2 } };
      },
    });
    return { llm, order, open: () => gates.shift()?.() };
  }
  const turns = async (count = 50): Promise<void> => {
    for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
  };

  test('waits until something settles, first come first served', async () => {
    const clock = new ManualClock({ wallMs: noon });
    const guard = new BudgetGuard({ total: '0.35' }, { prices, onExceeded: 'queue', clock });
    const { llm, order, open } = gated();
    const guarded = wrap(llm, enforceBudget(guard));
    const calls = Array.from({ length: 6 }, (_, i) => guarded.generate(`call ${i}`, { maxTokens }));
    await turns();
    expect(order).toEqual(['call 0', 'call 1', 'call 2']);
    expect(await state(guard)).toMatchObject({ holds: 3, queued: 3 });
    for (let opened = 0; opened < 6; opened++) {
      open();
      await turns();
    }
    await Promise.all(calls);
    expect(order).toEqual([0, 1, 2, 3, 4, 5].map((i) => `call ${i}`));
    expect(await state(guard)).toEqual({ holds: 0, queued: 0, committed: '0.3', held: '0' });
  });

  test('a newcomer who would fit does not overtake one who waits', async () => {
    const clock = new ManualClock({ wallMs: noon });
    const guard = new BudgetGuard({ total: 1 }, { onExceeded: 'queue', clock });
    const first = await guard.reserve(0.8);
    const order: string[] = [];
    const large = guard.reserve(0.5).then((hold) => order.push('large') && hold);
    await turns();
    const small = guard.reserve(0.1).then((hold) => order.push('small') && hold);
    await turns();
    expect([order, guard.remaining()[0]?.leftUsd]).toEqual([[], 0.2]);
    await first.settle(0.3);
    await Promise.all([large, small]);
    expect(order).toEqual(['large', 'small']);
  });

  test('one who waits for his own limit holds up nobody else', async () => {
    const clock = new ManualClock({ wallMs: noon });
    const guard = new BudgetGuard({ by: { userId: { total: 1 } } }, { onExceeded: 'queue', clock });
    const reserve = (userId: string, usd: number) => guard.reserve(usd, { attributes: { userId } });
    const held = await reserve('alice', 1);
    const waiting = reserve('alice', 0.5);
    await turns();
    await reserve('bob', 1); // at once
    await held.release();
    await waiting;
  });

  test('guards that wait within each other in opposite orders are parted by the time-out, and nothing is left', async () => {
    const clock = new ManualClock();
    const make = (name: string) =>
      new BudgetGuard({ total: 1 }, { name, onExceeded: 'queue', queueTimeoutMs: 3_000, clock });
    const [a, b] = [make('a'), make('b')];
    const nested = async (outer: BudgetGuard, inner: BudgetGuard) => {
      await using hold = await outer.reserve(1);
      await hold.run(async () => {
        await clock.sleep(10);
        await using _ = await inner.reserve(1);
      });
    };
    const both = Promise.allSettled([nested(a, b), nested(b, a)]);
    await clock.advance(4_000);
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    for (const guard of [a, b]) expect(await state(guard)).toMatchObject({ holds: 0, queued: 0, held: '0' });
    expect(clock.pending).toBe(0);
  });

  test('when the time is up it is refused, with a last try that nobody is before', async () => {
    const clock = new ManualClock({ wallMs: noon });
    const guard = new BudgetGuard({ total: 1 }, { onExceeded: 'queue', queueTimeoutMs: 5_000, clock });
    await guard.reserve(0.8);
    const large = guard.reserve(0.5);
    const largeEnd = expect(large).rejects.toMatchObject({ name: 'BudgetExceededError', fits: 'in-flight' });
    await turns();
    await clock.advance(1_000);
    const small = guard.reserve(0.2); // behind, though it fits
    await clock.advance(4_000);
    await largeEnd;
    await small;
    expect((await guard.status()).limits).toMatchObject([{ refusals: 1 }]);
  });

  test('what waiting cannot help is refused at once', async () => {
    const clock = new ManualClock({ wallMs: noon });
    const guard = new BudgetGuard({ perRequest: 2, daily: 1 }, { onExceeded: 'queue', clock });
    await expect(guard.reserve(3)).rejects.toMatchObject({ limit: 'perRequest' });
    await expect(guard.reserve(1.5)).rejects.toMatchObject({ limit: 'daily', fits: 'never' });
    await (await guard.reserve(0.9)).settle(0.9);
    await expect(guard.reserve(0.5)).rejects.toMatchObject({ fits: 'window' }); // midnight is twelve hours away
  });

  test('a window that ends soon is waited for', async () => {
    const clock = new ManualClock({ wallMs: Date.UTC(2026, 10, 23, 23, 59, 50) });
    const guard = new BudgetGuard({ daily: 1 }, { onExceeded: 'queue', clock });
    await (await guard.reserve(1)).settle(1);
    const waiting = guard.reserve(1);
    await turns();
    await clock.advance(9_000);
    expect((await guard.status()).queued).toBe(1);
    await clock.advance(2_000);
    await waiting;
    expect((await guard.status()).limits).toMatchObject([{ window: '2026-11-24', heldUsd: 1 }]);
  });

  test('one who only stood behind others over midnight is charged to the new day', async () => {
    const clock = new ManualClock({ wallMs: Date.UTC(2026, 10, 23, 23, 59, 50) });
    const guard = new BudgetGuard({ daily: 1 }, { prices, onExceeded: 'queue', clock });
    const provider = new TestProvider();
    const llm = wrap(provider.model('test', 'dime'), enforceBudget(guard));
    await (await guard.reserve(0.95)).settle(0.95);
    const calls = [0, 1].map(() => llm.generate('Hi', { maxTokens }));
    await turns();
    expect((await guard.status()).queued).toBe(2);
    await clock.advance(11_000);
    await Promise.all(calls);
    expect((await guard.status()).limits).toMatchObject([
      { window: '2026-11-24', committedUsdExact: '0.2', heldUsdExact: '0' },
    ]);
  });

  test('an abort ends the wait at once and leaves nothing behind', async () => {
    const guard = new BudgetGuard({ total: 1 }, { prices, onExceeded: 'queue' });
    const hold = await guard.reserve(1);
    const controllers = Array.from({ length: 100 }, () => new AbortController());
    const removed = controllers.map(({ signal }) => vi.spyOn(signal, 'removeEventListener'));
    const llm = wrap(new TestProvider().model('test', 'dime'), enforceBudget(guard));
    const calls = controllers.map(({ signal }) => llm.generate('Hi', { maxTokens, signal }));
    const ends = Promise.allSettled(calls);
    await turns();
    expect((await guard.status()).queued).toBe(100);
    const reason = new Error('enough');
    for (const controller of controllers) controller.abort(reason);
    for (const end of await ends) expect(end).toEqual({ status: 'rejected', reason });
    expect(await state(guard)).toMatchObject({ queued: 0, holds: 1 });
    expect(removed.every((spy) => spy.mock.calls.length > 0)).toBe(true);
    await hold.release();
  });

  test('where too many wait, one more is refused', async () => {
    const clock = new ManualClock({ wallMs: noon });
    const guard = new BudgetGuard({ total: 1 }, { onExceeded: 'queue', maxQueueLength: 2, clock });
    const hold = await guard.reserve(1);
    const waiting = [guard.reserve(0.1), guard.reserve(0.1)];
    await turns();
    await expect(guard.reserve(0.1)).rejects.toBeInstanceOf(BudgetExceededError);
    await hold.release();
    await Promise.all(waiting);
  });

  test('what another process frees is seen without being told', async () => {
    const clock = new ManualClock({ wallMs: noon });
    const ledger = new MemoryLedger({ clock });
    const [here, there] = [0, 1].map(
      () => new BudgetGuard({ total: 1 }, { ledger, onExceeded: 'queue', clock }),
    ) as [BudgetGuard, BudgetGuard];
    const hold = await there.reserve(1);
    const waiting = here.reserve(0.5);
    await turns();
    await hold.release();
    await clock.advance(60);
    await waiting;
  });

  test('a refusal that comes while something is freed is not slept over', async () => {
    const clock = new ManualClock({ wallMs: noon });
    const ledger = new MemoryLedger({ clock });
    const slow: LedgerStore = {
      unitPico: 1n,
      reserve: async (request) => {
        const answer = ledger.reserve(request);
        await turns(5);
        return answer;
      },
      post: (request) => ledger.post(request),
      close: (holdId) => ledger.close(holdId),
      renew: (holdId, leaseMs) => ledger.renew(holdId, leaseMs),
      status: (keys) => ledger.status(keys),
      flush() {},
      dispose() {},
    };
    const guard = new BudgetGuard({ total: 1 }, { ledger: slow, onExceeded: 'queue', clock });
    const hold = await guard.reserve(1);
    const waiting = guard.reserve(1);
    await turns(2); // the refusal is on its way
    await hold.release();
    await turns();
    await clock.advance(51);
    await waiting;
  });

  test('a thousand calls at once all get through a budget that holds ten at a time', async () => {
    const guard = new BudgetGuard({ total: 20 }, { prices, onExceeded: 'queue' });
    const provider = new TestProvider();
    const llm = wrap(
      provider.model('test', 'dime', () => 10),
      enforceBudget(guard),
    );
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, () => llm.generate('Hi', { maxTokens: 1_000 })),
    );
    expect(answers).toHaveLength(1_000);
    expect(await state(guard)).toEqual({ holds: 0, queued: 0, committed: '10', held: '0' });
  });

  test('together: clamp, then downgrade, then wait, then let through', async () => {
    const clock = new ManualClock({ wallMs: noon });
    const provider = new TestProvider();
    const guard = new BudgetGuard(
      { total: '0.01' },
      {
        prices,
        clock,
        queueTimeoutMs: 1_000,
        onExceeded: ['warn', 'queue', 'downgrade', 'clamp'],
        onWarning: () => {},
      },
    );
    const llm = wrap(
      provider.model('test', 'dime'),
      enforceBudget(guard, { downgradeTo: [provider.model('openai', 'gpt-4o-mini')] }),
    );
    expect((await llm.generate('Hi', { maxTokens: 20 })).servedBy).toBe('gpt-4o-mini'); // not worth ten tokens
    const held = await guard.reserve('0.00998');
    const waiting = llm.generate('Hi', { maxTokens: 1_000 });
    await turns();
    expect((await guard.status()).queued).toBe(1);
    await clock.advance(1_500);
    expect((await waiting).servedBy).toBe('test/dime');
    expect(provider.arrived.at(-1)?.maxTokens).toBe(1_000);
    await held.release();
  });
});
