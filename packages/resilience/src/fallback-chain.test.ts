import {
  AllProvidersFailedError,
  BudgetExceededError,
  ConfigError,
  defineLLM,
  type LLM,
  type ProviderFailure,
  parseUsd,
  wrap,
} from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import { describe, expect, test, vi } from 'vitest';
import { breakerOnClock, outcome } from '../test/breakers.ts';
import { attemptsOf, providerError, read, script } from '../test/models.ts';
import { breakOn } from './break-on.ts';
import { type FallbackChainOptions, fallbackChain } from './fallback-chain.ts';

const lost = providerError('connection');

/** A model by name that does the n-th of these with its n-th call. */
function named(name: string, ...steps: readonly (Error | string)[]) {
  const inner = script(...steps);
  const llm = defineLLM({
    provider: name,
    model: 'model',
    generate: async (prompt, options) => (await inner.generate(prompt, { signal: options.signal })).text,
    async *stream(prompt, options) {
      for await (const text of inner.stream(prompt, { signal: options.signal }).textStream) yield text;
      return undefined;
    },
  });
  return { ...llm, calls: inner.calls };
}

describe('fallbackChain', () => {
  test('asks the next model, and says who served and who did not', async () => {
    const [a, b] = [named('a', lost), named('b', 'from b')];
    const told: ProviderFailure[] = [];
    const chain = fallbackChain([a, b], { onFailover: (failure) => told.push(failure) });
    const generation = await chain.generate('?');
    expect(generation).toMatchObject({ text: 'from b', servedBy: 'b/model', provider: 'b' });
    expect(generation.failures).toEqual([{ id: 'a/model', outcome: 'failed', error: lost }]);
    expect(told).toEqual(generation.failures);
  });

  test('skips an open circuit without a call, and asks again when it may', async () => {
    const { breaker, clock } = breakerOnClock({ failureThreshold: 1 });
    const [a, b] = [named('a', lost, 'from a'), named('b', 'from b')];
    const chain = fallbackChain([{ llm: a, breaker }, b]);
    expect((await chain.generate('?')).servedBy).toBe('b/model');
    const skipped = await chain.generate('?');
    expect(skipped.failures).toMatchObject([
      { id: 'a/model', outcome: 'skipped', error: { code: 'circuit-open' } },
    ]);
    expect(a.calls()).toBe(1);
    expect(breaker.stats().refusals).toBe(0);
    await clock.advance(60_000);
    expect((await chain.generate('?')).text).toBe('from a');
    expect(breaker.state).toBe('CLOSED');
  });

  test('1,000 at once when the first may probe: one asks it, the others go on to the second', async () => {
    const { breaker, clock } = breakerOnClock();
    breaker.open();
    await clock.advance(60_000);
    let asked = 0;
    const a = defineLLM({
      provider: 'a',
      model: 'model',
      generate: async () => {
        asked++;
        await new Promise((resolve) => setImmediate(resolve));
        return 'from a';
      },
    });
    const chain = fallbackChain([{ llm: a, breaker }, named('b', 'from b')]);
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => chain.generate('?')));
    expect(asked).toBe(1);
    expect(answers.filter(({ servedBy }) => servedBy === 'a/model')).toHaveLength(1);
    const passedOver = answers.flatMap(({ failures }) => failures);
    expect(passedOver).toHaveLength(999);
    expect(new Set(passedOver.map(({ outcome: end }) => end))).toEqual(new Set(['skipped']));
    expect(breaker.state).toBe('CLOSED');
  });

  test('when all circuits are open has one entry for each, in order, and the shortest wait (56)', async () => {
    const [first, second] = [breakerOnClock(), breakerOnClock()];
    first.breaker.open(9_000);
    second.breaker.open(4_000);
    const models = [named('a', 'never'), named('b', 'never')];
    const chain = fallbackChain([
      { llm: models[0] as LLM, breaker: first.breaker },
      { llm: models[1] as LLM, breaker: second.breaker },
    ]);
    expect(chain.availability?.()).toMatchObject({ available: false, retryAfterMs: 4_000 });
    for (const ask of [() => outcome(chain.generate('?')), () => read(chain.stream('?'))]) {
      const { error } = (await ask()) as { error: AllProvidersFailedError };
      expect(error).toBeInstanceOf(AllProvidersFailedError);
      expect(error.retryAfterMs).toBe(4_000);
      expect(error.errors).toMatchObject([
        { id: 'a/model', outcome: 'skipped', error: { retryAfterMs: 9_000 } },
        { id: 'b/model', outcome: 'skipped', error: { retryAfterMs: 4_000 } },
      ]);
    }
    expect(models.map(({ calls }) => calls())).toEqual([0, 0]);
  });

  test('retries each model so many times, and no more (54)', async () => {
    const clock = new ManualClock();
    const models = [named('a', lost), named('b', lost), named('c', lost)];
    const chain = fallbackChain(models, { retriesPerProvider: 2, clock });
    const result = outcome(chain.generate('?'));
    await clock.advance(60_000);
    expect(await result).toMatchObject({ error: { code: 'all-providers-failed', errors: { length: 3 } } });
    expect(models.map(({ calls }) => calls())).toEqual([3, 3, 3]);
  });

  test('by default retries none: the next model is at hand', async () => {
    const a = named('a', lost);
    await fallbackChain([a, named('b', 'from b')]).generate('?');
    expect(a.calls()).toBe(1);
  });

  test('stops retrying a model whose circuit opens, and moves on (54)', async () => {
    const { breaker, clock } = breakerOnClock({ failureThreshold: 2 });
    const a = named('a', lost);
    const chain = fallbackChain([{ llm: a, breaker }, named('b', 'from b')], {
      retriesPerProvider: 9,
      clock,
    });
    const result = chain.generate('?');
    await clock.advance(10_000);
    expect((await result).servedBy).toBe('b/model');
    expect(a.calls()).toBe(2);
  });

  test('does not wait for a model that asks for long while another is at hand', async () => {
    const clock = new ManualClock();
    const throttled = providerError('rate-limit', { retryAfterMs: 30_000 });
    const chain = fallbackChain([named('a', throttled, 'late'), named('b', 'from b')], {
      retriesPerProvider: 3,
      clock,
    });
    expect((await chain.generate('?')).servedBy).toBe('b/model');
    expect(clock.pending).toBe(0);
  });

  test('streams fall back before their first content, never after it (51)', async () => {
    const chain = fallbackChain([named('a', lost), named('b', 'from b')]);
    const stream = chain.stream('?');
    expect(await read(stream)).toEqual({ text: 'from b' });
    expect(await stream.result).toMatchObject({ servedBy: 'b/model', failures: [{ id: 'a/model' }] });

    const cut = providerError('truncated', { emitted: true });
    const begun = defineLLM({
      provider: 'a',
      model: 'model',
      generate: () => 'never',
      async *stream() {
        yield 'half';
        throw cut;
      },
    });
    const b = named('b', 'from b');
    const { text, error } = await read(fallbackChain([begun, b]).stream('?'));
    expect(text).toBe('half');
    expect(error).toBe(cut);
    expect(cut.emitted).toBe(true);
    expect(b.calls()).toBe(0);
  });

  test('an abort and a bad request go nowhere', async () => {
    const bad = providerError('bad-request');
    const b = named('b', 'from b');
    await expect(fallbackChain([named('a', bad), b]).generate('?')).rejects.toBe(bad);
    const controller = new AbortController();
    const aborting = defineLLM({
      provider: 'a',
      model: 'model',
      generate: () => {
        controller.abort(new Error('stop'));
        throw lost;
      },
    });
    const result = await outcome(fallbackChain([aborting, b]).generate('?', { signal: controller.signal }));
    expect(result).toEqual({ error: controller.signal.reason });
    expect(b.calls()).toBe(0);
  });

  test('reports all attempts of all models', async () => {
    const seen = attemptsOf();
    await fallbackChain([named('a', lost), named('b', 'from b')]).generate('?', seen.options);
    expect(seen.outcomes).toEqual(['refused', 'served']);
  });

  test('is not harmed by a listener that throws', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const chain = fallbackChain([named('a', lost), named('b', 'from b')], {
      onFailover: () => {
        throw new Error('mine');
      },
    });
    expect((await chain.generate('?')).servedBy).toBe('b/model');
    expect(warn).toHaveBeenCalledTimes(1);
  });

  test('is a model: it can be guarded, and be part of another chain', async () => {
    const inner = fallbackChain([named('a', lost), named('b', lost)]);
    const { breaker } = breakerOnClock({ failureThreshold: 1 });
    const outer = fallbackChain([wrap(inner, breakOn(breaker)), named('c', 'from c')]);
    const { servedBy, failures } = await outer.generate('?');
    expect(servedBy).toBe('c/model');
    expect(failures).toMatchObject([
      { id: 'fallback(a/model,b/model)', error: { code: 'all-providers-failed' } },
    ]);
    expect(breaker.state).toBe('OPEN');
    expect(outer.id).toBe('fallback(fallback(a/model,b/model),c/model)');
    expect(outer.candidates?.().map(({ id }) => id)).toEqual(['fallback(a/model,b/model)', 'c/model']);
  });

  test('promises only what every model can do, and the largest window', () => {
    const able = (name: string, capabilities: LLM['capabilities'], maxTokens?: number): LLM => ({
      ...named(name, ''),
      capabilities,
      defaults: { maxTokens },
    });
    const large = {
      contextWindow: 128_000,
      maxOutputTokens: 16_384,
      tools: true,
      images: true,
      jsonSchema: true,
    };
    const small = { contextWindow: 8_192, maxOutputTokens: 8_192, tools: true, images: false };
    const chain = fallbackChain([able('a', large, 512), able('b', small, 2_048)]);
    expect(chain.capabilities).toEqual({
      contextWindow: 128_000,
      maxOutputTokens: 8_192,
      tools: true,
      images: false,
      jsonSchema: undefined,
      logprobs: undefined,
    });
    expect(chain.defaults).toEqual({ maxTokens: 2_048 });
    const unknown = fallbackChain([able('a', large, 512), named('b', '')]);
    expect(unknown.capabilities?.contextWindow).toBeUndefined();
    expect(unknown.defaults?.maxTokens).toBeUndefined();
  });

  test('quotes its smallest hold; with a model that nothing guards among them, none', () => {
    const holding = (name: string, usd?: string): LLM => ({
      ...named(name, ''),
      ...(usd !== undefined && { quoteHold: () => ({ pico: parseUsd(usd) }) }),
    });
    expect(
      fallbackChain([holding('a', '0.3'), holding('b', '0.1'), holding('c', '0.2')]).quoteHold?.('?'),
    ).toEqual({
      pico: parseUsd('0.1'),
    });
    expect(fallbackChain([holding('a', '0.3'), holding('b')]).quoteHold?.('?')).toBeUndefined();
  });

  test('a budget’s refusal goes on only to a model, or chain, with a smaller hold', async () => {
    const refusal = new BudgetExceededError('Too dear.', {
      guard: 'g',
      limit: 'daily',
      limitUsd: '1',
      committedUsd: '0.9',
      heldUsd: '0',
      neededUsd: '0.2',
      fits: 'window',
    });
    const holding = (llm: LLM, usd: string): LLM => ({ ...llm, quoteHold: () => ({ pico: parseUsd(usd) }) });
    const refused = (name: string, usd: string): LLM => ({
      ...holding(named(name, ''), usd),
      generate: () => Promise.reject(refusal), // as a guard does: before anything is sent
    });
    const [dear, dearer] = [refused('dear', '0.2'), refused('dearer', '0.3')];
    const cheap = holding(named('cheap', 'cheap answer'), '0.05');
    const same = holding(named('same', 'never'), '0.2');
    const { servedBy, failures } = await fallbackChain([dear, same, cheap]).generate('?');
    expect(servedBy).toBe('cheap/model');
    expect(failures).toEqual([
      { id: 'dear/model', outcome: 'skipped', error: refusal },
      { id: 'same/model', outcome: 'skipped', error: refusal },
    ]);
    // A chain that holds somebody who fits is asked; its other models' own guards refuse.
    const inner = fallbackChain([dearer, cheap]);
    expect((await fallbackChain([dear, inner]).generate('?')).servedBy).toBe('cheap/model');
    await expect(fallbackChain([dear, dearer]).generate('?')).rejects.toBe(refusal);
  });

  test.each([
    [[]],
    [[named('a', '')], { retriesPerProvider: -1 }],
    [[named('a', '')], { retries: 1 } as FallbackChainOptions],
  ])('refuses wrong arguments %#', (models, options?: FallbackChainOptions) => {
    expect(() => fallbackChain(models, options)).toThrow(ConfigError);
  });
});
