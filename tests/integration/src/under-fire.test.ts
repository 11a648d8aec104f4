/** The whole stack at once, with providers that fail: what was spent is what was billed, and never over a limit. */
import { BudgetGuard, enforceBudget } from '@synapsekit/budget';
import { isSynapseError, type LLM, parseUsd, wrap } from '@synapsekit/core';
import { CostTracker, trackCost } from '@synapsekit/cost';
import { GroqLLM } from '@synapsekit/llm-groq';
import { OpenAILLM } from '@synapsekit/llm-openai';
import { breakOn, CircuitBreaker, fallbackChain, retry } from '@synapsekit/resilience';
import { LLMClassifier, Router } from '@synapsekit/router';
import { type Fault, type FaultTarget, faults, SimulatedProvider, seededRandom } from '@synapsekit/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

let provider: SimulatedProvider;
beforeAll(async () => {
  provider = await SimulatedProvider.start({ latencyMs: 1 });
});
beforeEach(() => provider.reset());
afterAll(() => provider.close());

const config = { maxTokens: 300, trackTokens: true };
const openai = (model: string): LLM =>
  new OpenAILLM({ model, config, baseURL: provider.openaiBaseURL, apiKey: 'sk-simulated' });
const groq = (): LLM =>
  new GroqLLM({
    model: 'llama-3.1-8b-instant',
    config,
    baseURL: provider.groqBaseURL,
    apiKey: 'gsk_simulated',
  });

/** Faults whose cost both sides know to the last digit: nothing, or the input that was read. */
const exactFaults: readonly (readonly [Fault, FaultTarget])[] = [
  [faults.rateLimited({ retryAfter: 0 }), {}],
  [faults.serverError(), {}],
  [faults.overloaded(), {}],
  [faults.endAfter(0), { stream: true }],
];

function stack(limitUsd: number) {
  const tracker = new CostTracker({ onWarning: () => {} });
  const guard = new BudgetGuard({ perRequest: 0.1, daily: limitUsd }, { tracker });
  const breakers = {
    openai: new CircuitBreaker({ name: 'openai', failureThreshold: 1_000 }),
    groq: new CircuitBreaker({ name: 'groq', failureThreshold: 1_000 }),
  };
  const guarded = (llm: LLM): LLM =>
    wrap(
      llm,
      retry({ maxAttempts: 3, baseDelayMs: 1, random: seededRandom(1) }),
      enforceBudget(guard),
      breakOn(llm.provider === 'groq' ? breakers.groq : breakers.openai),
      trackCost(tracker, { scope: ({ id }) => `llm:${id}` }),
    );
  const cheap = guarded(groq());
  const mini = guarded(openai('gpt-4o-mini'));
  const strong = guarded(openai('gpt-4o'));
  const router = new Router({
    classifier: new LLMClassifier({ llm: cheap }),
    routes: {
      simple: fallbackChain([cheap, mini]),
      medium: fallbackChain([mini, cheap]),
      complex: [strong, mini, cheap],
    },
    scope: (step, fn) => tracker.scope(`step:${step}`, fn),
    prices: tracker.prices,
  });
  return { tracker, guard, router };
}

async function expectCommitted(guard: BudgetGuard, committedUsdExact: string): Promise<void> {
  const { limits } = await guard.status();
  expect(limits.find(({ limit }) => limit === 'daily')).toMatchObject({
    committedUsdExact,
    heldUsdExact: '0',
  });
}

const queries = [
  'What is 2 + 2?',
  'Explain the difference between TCP and UDP.',
  'Write a B-tree implementation.',
];
const queryOf = (i: number): string => queries[i % queries.length] ?? '';

describe('under fire', () => {
  test('300 requests at once, a third of all attempts failing: every total is the bill', {
    timeout: 30_000,
  }, async () => {
    const { tracker, guard, router } = stack(50);
    for (const [fault, target] of exactFaults) {
      provider.fail(fault, { ...target, times: Number.POSITIVE_INFINITY, chance: 0.09 });
    }
    const costs = await Promise.all(
      Array.from({ length: 300 }, (_, i) =>
        tracker.scope(`request:${i}`, async (request) => {
          const call = i % 3 === 0 ? router.stream(queryOf(i)).result : router.generate(queryOf(i));
          const routeUsd = await call.then(({ route }) => route.costUsd).catch(() => undefined);
          return { requestUsd: request.costUsd, routeUsd };
        }),
      ),
    );
    await provider.idle();
    await guard.flush();
    expect(provider.requests.some(({ fault }) => fault !== undefined)).toBe(true);
    const { exact } = tracker.summary();
    expect(exact.totalUsd).toBe(provider.bill.totalUsdExact);
    await expectCommitted(guard, provider.bill.totalUsdExact);
    for (const [model, { amountPico }] of Object.entries(provider.bill.byModel)) {
      expect(parseUsd(exact.byModel[model] ?? 0)).toBe(amountPico);
      expect(parseUsd(exact.byScope[`llm:${model}`] ?? 0)).toBe(amountPico);
    }
    // What a request says that it cost is what its scope says.
    for (const { requestUsd, routeUsd } of costs)
      if (routeUsd !== undefined) expect(routeUsd).toBe(requestUsd);
  });

  test('a burst cannot pass the daily limit, and what fits is served', { timeout: 30_000 }, async () => {
    const { tracker, guard, router } = stack(0.01);
    const results = await Promise.allSettled(
      Array.from({ length: 200 }, (_, i) => router.generate(queryOf(i))),
    );
    await provider.idle();
    await guard.flush();
    const served = results.filter(({ status }) => status === 'fulfilled').length;
    const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason);
    expect(served).toBeGreaterThan(0);
    expect(refused.length).toBeGreaterThan(0);
    for (const error of refused) expect(isSynapseError(error, 'budget-exceeded')).toBe(true);
    expect(provider.bill.totalPico).toBeLessThanOrEqual(parseUsd(0.01));
    expect(tracker.summary().exact.totalUsd).toBe(provider.bill.totalUsdExact);
    await expectCommitted(guard, provider.bill.totalUsdExact);
  });

  test('aborted and abandoned calls leave nothing held', { timeout: 30_000 }, async () => {
    const { tracker, guard, router } = stack(50);
    await Promise.allSettled(
      Array.from({ length: 100 }, async (_, i) => {
        const controller = new AbortController();
        const stream = router.stream(queryOf(i), { signal: controller.signal });
        let events = 0;
        for await (const _event of stream) {
          if (++events === (i % 5) + 1) {
            if (i % 2 === 0) break;
            controller.abort();
          }
        }
      }),
    );
    await provider.idle();
    await guard.flush();
    const { exact } = tracker.summary();
    await expectCommitted(guard, exact.totalUsd);
    // We count what we received; the provider bills what it sent, which may be a little more.
    expect(parseUsd(exact.totalUsd)).toBeGreaterThan(0n);
    expect(parseUsd(exact.totalUsd)).toBeLessThanOrEqual(provider.bill.totalPico);
  });
});
