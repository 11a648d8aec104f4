import { estimatePromptTokens, type LLM, wrap } from '@synapsekit/core';
import { ManualClock } from '@synapsekit/testing';
import { describe, expect, test } from 'vitest';
import { breakerOnClock, outcome } from '../test/breakers.ts';
import { hang, model, providerError, read, script, take } from '../test/models.ts';
import { breakOn } from './break-on.ts';
import { rateLimit } from './rate-limit.ts';
import { RateLimiter } from './rate-limiter.ts';

const prompt = 'What is the capital of France?';
const promptTokens = estimatePromptTokens(prompt);

function limited(
  inner: LLM,
  options: { requestsPerMinute?: number; tokensPerMinute?: number; maxWaitMs?: number },
) {
  const clock = new ManualClock();
  const limiter = new RateLimiter({ clock, ...options });
  return { llm: wrap(inner, rateLimit(limiter)), limiter, clock };
}

const used = (inputTokens: number, outputTokens: number) =>
  model({ generate: () => ({ text: 'Paris', usage: { inputTokens, outputTokens } }) });

describe('rateLimit', () => {
  test('takes the prompt and maxTokens in full, and settles by what was used', async () => {
    const controller = new AbortController();
    const inner = model({ generate: (_, { signal }) => hang(signal) });
    const { llm, limiter } = limited(inner, { requestsPerMinute: 10, tokensPerMinute: 10_000 });
    const call = outcome(llm.generate(prompt, { maxTokens: 500, signal: controller.signal }));
    await new Promise((resolve) => setImmediate(resolve));
    expect(limiter.remaining()).toEqual({ requests: 9, tokens: 10_000 - promptTokens - 500 });
    controller.abort(new Error('stop'));
    await call;
    // The prompt was sent and may have been counted; no answer was.
    expect(limiter.remaining()).toEqual({ requests: 9, tokens: 10_000 - promptTokens });

    const answering = limited(used(100, 40), { requestsPerMinute: 10, tokensPerMinute: 10_000 });
    await answering.llm.generate(prompt, { maxTokens: 500 });
    expect(answering.limiter.remaining()).toEqual({ requests: 9, tokens: 9_860 });
    await answering.llm.stream(prompt, { maxTokens: 500 }).result;
    expect(answering.limiter.remaining().requests).toBe(8);
  });

  test('knows the model’s own maxTokens, and guesses where nobody says', async () => {
    const controller = new AbortController();
    const inner: LLM = {
      ...model({ generate: (_, { signal }) => hang(signal) }),
      defaults: { maxTokens: 2_000 },
    };
    const taken = async (llm: LLM, tokensPerMinute: number): Promise<number> => {
      const { llm: wrapped, limiter } = limited(llm, { tokensPerMinute });
      void outcome(wrapped.generate(prompt, { signal: controller.signal }));
      await new Promise((resolve) => setImmediate(resolve));
      return tokensPerMinute - (limiter.remaining().tokens ?? 0);
    };
    expect(await taken(inner, 10_000)).toBe(promptTokens + 2_000);
    expect(await taken(model({ generate: (_, { signal }) => hang(signal) }), 10_000)).toBe(
      promptTokens + 1_024,
    );
    // A guess alone makes nothing too large.
    expect(await taken(model({ generate: (_, { signal }) => hang(signal) }), 100)).toBe(100);
    controller.abort(new Error('enough'));
  });

  test('refuses a call that never fits, and says so to a router', async () => {
    const { llm } = limited(used(1, 1), { tokensPerMinute: 400 });
    await expect(llm.generate(prompt, { maxTokens: 500 })).rejects.toMatchObject({ code: 'rate-limited' });
  });

  test('pauses after a 429 for as long as it asks, whole answers and streams', async () => {
    const throttled = providerError('rate-limit', { retryAfterMs: 20_000 });
    for (const ask of [(llm: LLM) => outcome(llm.generate('?')), (llm: LLM) => read(llm.stream('?'))]) {
      const { llm, limiter, clock } = limited(script(throttled, 'answer'), { requestsPerMinute: 60 });
      expect(await ask(llm)).toMatchObject({ error: throttled });
      expect(limiter.waitMs()).toBe(20_000);
      expect(limiter.remaining().requests).toBe(0);
      const next = ask(llm);
      await clock.advance(19_999);
      expect(limiter.queued).toBe(1);
      await clock.advance(1);
      await next;
      expect(limiter.queued).toBe(0);
    }
  });

  test('is not available while the wait is longer than it grants', async () => {
    const { llm, limiter, clock } = limited(script('answer'), { requestsPerMinute: 60, maxWaitMs: 5_000 });
    expect(llm.availability?.()).toEqual({ available: true });
    limiter.pause(8_000);
    expect(llm.availability?.()).toMatchObject({
      available: false,
      retryAfterMs: 8_000,
      error: { code: 'rate-limited', retryAfterMs: 8_000 },
    });
    await clock.advance(3_000);
    expect(llm.availability?.()).toEqual({ available: true });
  });

  test('heeds the provider’s headers', async () => {
    const inner: LLM = {
      ...model(),
      generate: async (...call) => ({
        ...(await model().generate(...call)),
        rateLimit: { limitTokens: 10_000, remainingTokens: 42 },
      }),
    };
    const { llm, limiter } = limited(inner, { tokensPerMinute: 10_000 });
    await llm.generate(prompt, { maxTokens: 100 });
    expect(limiter.remaining().tokens).toBe(42);
  });

  test('takes nothing for a call that was never sent, and one request for each attempt', async () => {
    const refusing = wrap(model(), () => ({
      ...model(),
      generate: async () => {
        throw providerError('bad-request');
      },
    }));
    const unsent = limited(refusing, { requestsPerMinute: 10 });
    await outcome(unsent.llm.generate('?'));
    expect(unsent.limiter.remaining().requests).toBe(10);

    const twice: LLM = {
      ...model(),
      generate: async (...call) => {
        await model().generate(...call);
        return model().generate(...call);
      },
    };
    const { llm, limiter } = limited(twice, { requestsPerMinute: 10 });
    await llm.generate('?');
    expect(limiter.remaining().requests).toBe(8);
  });

  test('counts a model that reports no attempts as one that made one', async () => {
    const generation = await model().generate('?');
    const silent: LLM = { ...model(), generate: async () => generation };
    const { llm, limiter } = limited(silent, { requestsPerMinute: 10 });
    await llm.generate('?');
    expect(limiter.remaining().requests).toBe(9);
  });

  test('settles a stream that is left by what came', async () => {
    const { llm, limiter } = limited(model(), { requestsPerMinute: 10, tokensPerMinute: 10_000 });
    await take(llm.stream(prompt, { maxTokens: 5_000 }), 1);
    expect(limiter.remaining().requests).toBe(9);
    expect(limiter.remaining().tokens).toBe(10_000 - promptTokens - 1);
  });

  test('a wait for it does not hold the probe of the breaker inside it (59)', async () => {
    const { breaker, clock } = breakerOnClock();
    breaker.open();
    await clock.advance(60_000);
    const limiter = new RateLimiter({ requestsPerMinute: 60, clock });
    limiter.pause(10_000);
    const llm = wrap(model(), rateLimit(limiter), breakOn(breaker));
    const waiting = llm.generate('?');
    await clock.advance(5_000);
    expect(breaker.availability()).toEqual({ available: true });
    await clock.advance(5_000);
    expect((await waiting).text).toBe('answer');
    expect(breaker.state).toBe('CLOSED');
  });
});
