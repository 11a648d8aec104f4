import {
  BudgetExceededError,
  ConfigError,
  type LLM,
  type LLMMiddleware,
  ProviderError,
  UnknownPriceError,
  usdDecimal,
  wrap,
} from '@synapsekit/core';
import { describe, expect, test } from 'vitest';
import { chain } from '../test/chain.ts';
import { prices } from '../test/flat-prices.ts';
import { TestProvider } from '../test/test-model.ts';
import { TestTracker, track } from '../test/test-tracker.ts';
import { BudgetGuard } from './budget-guard.ts';
import { enforceBudget } from './enforce-budget.ts';

const dime = 100; // tokens of test/dime that cost ten cents

async function committed(guard: BudgetGuard, limit = 'total'): Promise<string | undefined> {
  const { limits, holds } = await guard.status();
  expect(holds).toBe(0);
  const state = limits.find((one) => one.limit === limit);
  expect(state?.heldUsdExact).toBe('0');
  return state?.committedUsdExact;
}

/** Asks again, as often as it takes, inside of whatever is around it. */
const again: LLMMiddleware = (next) => ({
  ...next,
  async generate(prompt, options) {
    for (;;) {
      try {
        return await next.generate(prompt, options);
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
      }
    }
  },
});

const lost = (): never => {
  throw new ProviderError('The connection was lost.', {
    kind: 'connection',
    provider: 'test',
    model: 'dime',
  });
};

describe('money is booked once', () => {
  test('by hand: a guard fed by a tracker, without a hold', async () => {
    const tracker = new TestTracker();
    const guard = new BudgetGuard({ total: 1 }, { tracker });
    const provider = new TestProvider();
    const llm = provider.model('test', 'dime');
    await guard.checkBefore(0);
    const { usage } = await llm.generate('Hi', { maxTokens: dime });
    const record = tracker.record('test', 'dime', usage);
    tracker.record('test', 'dime', usage);
    await guard.checkAfter(record.costUsd);
    expect(await committed(guard)).toBe(usdDecimal(provider.billPico));
  });

  test.each(['tracker inside', 'tracker outside', 'no tracker'])('composed, %s', async (where) => {
    const tracker = new TestTracker();
    const guard = new BudgetGuard({ total: 100 }, where === 'no tracker' ? { prices } : { tracker });
    const provider = new TestProvider();
    const middleware = {
      'tracker inside': [enforceBudget(guard), track(tracker)],
      'tracker outside': [track(tracker), enforceBudget(guard)],
      'no tracker': [enforceBudget(guard)],
    }[where];
    const llm = wrap(
      provider.model('test', 'dime', () => 37),
      ...(middleware ?? []),
    );
    await Promise.all([
      ...Array.from({ length: 20 }, () => llm.generate('Hi', { maxTokens: dime })),
      ...Array.from({ length: 20 }, () => llm.stream('Hi', { maxTokens: dime }).result),
    ]);
    expect(usdDecimal(provider.billPico)).toBe('1.48');
    expect(await committed(guard)).toBe('1.48');
  });

  test('a global and a per-user guard: the inner one refuses and leaves no trace in the outer one', async () => {
    const tracker = new TestTracker();
    const all = new BudgetGuard({ total: 100 }, { tracker, name: 'all' });
    const user = new BudgetGuard({ total: 0.25 }, { tracker, name: 'user' });
    const provider = new TestProvider();
    const llm = wrap(provider.model('test', 'dime'), enforceBudget(all), enforceBudget(user), track(tracker));
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => llm.generate('Hi', { maxTokens: dime })),
    );
    const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(refusals).toHaveLength(8);
    expect(refusals.every((error) => error instanceof BudgetExceededError && error.guard === 'user')).toBe(
      true,
    );
    expect([await committed(all), await committed(user), usdDecimal(provider.billPico)]).toEqual([
      '0.2',
      '0.2',
      '0.2',
    ]);
  });

  test('two billed attempts of one call, the retry outside: a hold each', async () => {
    const guard = new BudgetGuard({ total: 1 }, { prices });
    const provider = new TestProvider();
    const llm = wrap(
      provider.model('test', 'dime', (call) => (call === 1 ? lost() : 60)),
      again,
      enforceBudget(guard),
    );
    await llm.generate('Hi', { maxTokens: dime });
    expect(await committed(guard)).toBe('0.06');
  });

  test('a router around guarded candidates shares its hold with them', async () => {
    const guard = new BudgetGuard({ total: 0.12 }, { prices });
    const provider = new TestProvider();
    const guarded = (llm: LLM): LLM => wrap(llm, enforceBudget(guard));
    const classifier = guarded(provider.model('test', 'dime', () => 5));
    const answerer = guarded(provider.model('test', 'dime', () => 90));
    const router: LLM = {
      ...chain(classifier, answerer),
      async generate(prompt, options) {
        await classifier.generate(prompt, { ...options, maxTokens: 10 });
        return answerer.generate(prompt, options);
      },
    };
    const llm = wrap(router, enforceBudget(guard));
    // 0.10 for the dearest; the classifier's 0.005 comes out of it, which raises it by that: 0.105 in all.
    await llm.generate('Hi', { maxTokens: dime });
    expect(usdDecimal(provider.billPico)).toBe('0.095');
    expect(await committed(guard)).toBe('0.095');
  });

  test('calls at once inside one hold share it without booking more than it can be raised to', async () => {
    const guard = new BudgetGuard({ total: 0.5 }, { prices });
    const provider = new TestProvider();
    const inner = wrap(provider.model('test', 'dime'), enforceBudget(guard));
    const fan: LLM = {
      ...chain(inner),
      async generate(prompt, options) {
        const calls = Array.from({ length: 9 }, () => inner.generate(prompt, options));
        const done = await Promise.allSettled(calls);
        const served = done.find((one) => one.status === 'fulfilled');
        if (served === undefined) throw new Error('none');
        return served.value;
      },
    };
    await wrap(fan, enforceBudget(guard)).generate('Hi', { maxTokens: dime });
    expect(provider.arrived).toHaveLength(5);
    expect(await committed(guard)).toBe('0.5');
  });

  test('a call inside a hold that ends without an attempt gives its share back', async () => {
    const guard = new BudgetGuard({ total: 0.1 }, { prices });
    const provider = new TestProvider();
    const model = provider.model('test', 'dime');
    const closed: LLM = {
      ...model,
      generate: async () => {
        throw new Error('its circuit is open');
      },
    };
    const inner = wrap(model, enforceBudget(guard));
    const router: LLM = {
      ...chain(inner),
      async generate(prompt, options) {
        await wrap(closed, enforceBudget(guard))
          .generate(prompt, options)
          .catch(() => {});
        return inner.generate(prompt, options);
      },
    };
    await wrap(router, enforceBudget(guard)).generate('Hi', { maxTokens: dime });
    expect(await committed(guard)).toBe('0.1');
  });

  test('a lost call inside a hold is booked at what that call held, not the one around it', async () => {
    const guard = new BudgetGuard({ total: 1 }, { prices });
    const abort = new AbortController();
    const provider = new TestProvider();
    const inner = wrap(
      provider.model('test', 'dime', () => new Promise(() => abort.abort(new Error('enough')))),
      enforceBudget(guard),
    );
    const router: LLM = {
      ...chain(inner),
      generate: (prompt, options) => inner.generate(prompt, { ...options, maxTokens: 10 }),
    };
    const call = wrap(router, enforceBudget(guard)).generate('Hi', { maxTokens: dime, signal: abort.signal });
    await expect(call).rejects.toThrow('enough');
    expect(await committed(guard)).toBe('0.01');
  });

  test('a late actual replaces the estimate of a lost call', async () => {
    const tracker = new TestTracker();
    const guard = new BudgetGuard({ total: 1 }, { tracker });
    const abort = new AbortController();
    let attemptId = '';
    const provider = new TestProvider();
    const never = provider.model('test', 'dime', () => new Promise(() => abort.abort(new Error('enough'))));
    const call = wrap(never, enforceBudget(guard)).generate('Hi', {
      maxTokens: dime,
      signal: abort.signal,
      onAttempt: (attempt) => {
        attemptId = attempt.attemptId;
      },
    });
    await expect(call).rejects.toThrow('enough');
    expect(await committed(guard)).toBe('0.1');
    tracker.record('test', 'dime', { inputTokens: 2, outputTokens: 30, attemptId });
    expect(await committed(guard)).toBe('0.03');
    tracker.record('test', 'dime', { inputTokens: 2, outputTokens: 99, attemptId });
    expect(await committed(guard)).toBe('0.03');
  });

  test('onLostCall "release" books nothing for a lost call', async () => {
    const guard = new BudgetGuard({ total: 1 }, { prices, onLostCall: 'release' });
    const abort = new AbortController();
    const provider = new TestProvider();
    const never = provider.model('test', 'dime', () => new Promise(() => abort.abort(new Error('enough'))));
    const call = wrap(never, enforceBudget(guard)).generate('Hi', { maxTokens: dime, signal: abort.signal });
    await expect(call).rejects.toThrow('enough');
    expect(await committed(guard)).toBe('0');
  });

  test('a model that reports no attempts is booked by the usage of its answer', async () => {
    const guard = new BudgetGuard({ total: 1 }, { prices });
    const provider = new TestProvider();
    const model = provider.model('test', 'dime', () => 40);
    const silent: LLM = {
      ...model,
      generate: async (prompt, { maxTokens } = {}) => model.generate(prompt, { maxTokens }),
      stream: (prompt, { maxTokens } = {}) => model.stream(prompt, { maxTokens }),
    };
    const llm = wrap(silent, enforceBudget(guard));
    await llm.generate('Hi', { maxTokens: dime });
    await llm.stream('Hi', { maxTokens: dime }).result;
    expect(await committed(guard)).toBe('0.08');
  });
});

describe('an attempt inside a call', () => {
  test('a retry after a lost attempt raises the hold, and is refused where that does not fit', async () => {
    const guard = new BudgetGuard({ total: 0.25 }, { prices });
    const provider = new TestProvider();
    const timesOut: LLM = provider.model('test', 'dime', () => 100);
    const llm = wrap(timesOut, enforceBudget(guard), (next) => ({
      ...next,
      async generate(prompt, options) {
        await next.generate(prompt, options);
        await next.generate(prompt, options);
        return next.generate(prompt, options);
      },
    }));
    await expect(llm.generate('Hi', { maxTokens: dime })).rejects.toBeInstanceOf(BudgetExceededError);
    expect(provider.arrived).toHaveLength(2);
    expect(await committed(guard)).toBe('0.2');
  });

  test('perRequest bounds the hold of a call with all its attempts', async () => {
    const guard = new BudgetGuard({ perRequest: 0.15 }, { prices });
    const provider = new TestProvider();
    const twice: LLMMiddleware = (next) => ({
      ...next,
      async generate(prompt, options) {
        await next.generate(prompt, options);
        return next.generate(prompt, options);
      },
    });
    const llm = wrap(provider.model('test', 'dime'), enforceBudget(guard), twice);
    await expect(llm.generate('Hi', { maxTokens: dime })).rejects.toMatchObject({
      limit: 'perRequest',
      fits: 'never',
    });
    expect(provider.arrived).toHaveLength(1);
  });

  test('attempts that a provider refused cost nothing and need no more room', async () => {
    const guard = new BudgetGuard({ total: 0.1 }, { prices });
    const provider = new TestProvider();
    const llm = wrap(
      provider.model('test', 'dime', (call) => (call < 5 ? lost() : 100)),
      enforceBudget(guard),
      again,
    );
    await llm.generate('Hi', { maxTokens: dime });
    expect(await committed(guard)).toBe('0.1');
  });
});

describe('refused before anything is sent', () => {
  test.each([
    ['an unknown price', { prices }, UnknownPriceError],
    ['no prices at all', {}, ConfigError],
  ])('%s', async (_, options, error) => {
    const guard = new BudgetGuard({ total: 1 }, options);
    const provider = new TestProvider();
    const llm = wrap(provider.model('nobody', 'nothing'), enforceBudget(guard));
    await expect(llm.generate('Hi')).rejects.toBeInstanceOf(error);
    await expect(llm.stream('Hi').result).rejects.toBeInstanceOf(error);
    expect(llm.quoteHold?.('Hi')).toBeUndefined();
    expect(provider.arrived).toEqual([]);
    expect(await committed(guard)).toBe('0');
  });

  test('a call that was aborted before', async () => {
    const guard = new BudgetGuard({ total: 1 }, { prices });
    const provider = new TestProvider();
    const llm = wrap(provider.model('test', 'dime'), enforceBudget(guard));
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(llm.generate('Hi', { signal })).rejects.toThrow('too late');
    await expect(llm.stream('Hi', { signal }).result).rejects.toThrow('too late');
    expect(provider.arrived).toEqual([]);
    expect(await committed(guard)).toBe('0');
  });

  test('a stream that nobody reads holds nothing', async () => {
    const guard = new BudgetGuard({ total: 1 }, { prices });
    const llm = wrap(new TestProvider().model('test', 'dime'), enforceBudget(guard));
    llm.stream('Hi');
    expect(await committed(guard)).toBe('0');
  });

  test('a guard that is none', () => {
    expect(() => enforceBudget({} as never)).toThrow(ConfigError);
    expect(() => enforceBudget(undefined as never)).toThrow(ConfigError);
  });
});
