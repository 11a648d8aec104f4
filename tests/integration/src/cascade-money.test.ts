/** A cascade asks several models for one answer: each is booked once, held for, and refused like any other call. */
import { BudgetGuard, enforceBudget } from '@synapsekit/budget';
import { type LLM, wrap } from '@synapsekit/core';
import { CostTracker, trackCost } from '@synapsekit/cost';
import { GroqLLM } from '@synapsekit/llm-groq';
import { OpenAILLM } from '@synapsekit/llm-openai';
import {
  agreesWith,
  CascadeRouter,
  finished,
  LengthClassifier,
  numberAnswer,
  paceBudget,
  passes,
  Router,
  type Verifier,
} from '@synapsekit/router';
import { SimulatedProvider } from '@synapsekit/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

let provider: SimulatedProvider;
beforeAll(async () => {
  provider = await SimulatedProvider.start({
    // The small model is wrong on odd questions; the middle one is always right, and so is the large one.
    answers: ({ userText, model }) => {
      const asked = Number(/\d+/.exec(userText)?.[0]);
      const wrong = model === 'llama-3.1-8b-instant' && asked % 2 === 1;
      return `That makes ${wrong ? asked : 2 * asked} in all.`;
    },
  });
});
beforeEach(() => provider.reset());
afterAll(() => provider.close());

const config = { maxTokens: 100, trackTokens: true };
const openai = (model: string): LLM =>
  new OpenAILLM({ model, config, baseURL: provider.openaiBaseURL, apiKey: 'sk-simulated' });
const groq = (): LLM =>
  new GroqLLM({
    model: 'llama-3.1-8b-instant',
    config,
    baseURL: provider.groqBaseURL,
    apiKey: 'gsk_simulated',
  });

/** Tracker and guard agree, and nothing is held any more. */
async function expectSettled(tracker: CostTracker, guard: BudgetGuard): Promise<void> {
  await provider.idle();
  await guard.flush();
  const { totalUsd: totalUsdExact } = tracker.summary().exact;
  const [limit] = (await guard.status()).limits.filter(({ limit: name }) => name === 'daily');
  expect(limit).toMatchObject({ committedUsdExact: totalUsdExact, heldUsdExact: '0' });
}

const doubtful: Verifier = {
  name: 'doubt',
  failure: 'doubtful',
  verify: () => ({ pass: false, reason: 'no' }),
};
const times = <T>(count: number, make: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => make(i)));

describe.each(['the models', 'the cascade'])('policies round %s', (where) => {
  const build = () => {
    const tracker = new CostTracker({ onWarning: () => {} });
    const guard = new BudgetGuard({ daily: 5 }, { tracker });
    const policies = (llm: LLM): LLM => wrap(llm, enforceBudget(guard), trackCost(tracker));
    const inner = (llm: LLM): LLM => (where === 'the models' ? policies(llm) : llm);
    const cascade = new CascadeRouter({
      tiers: [inner(groq()), inner(openai('gpt-4o'))],
      verify: [finished(), agreesWith(inner(openai('gpt-4o-mini')), { by: numberAnswer })],
      prices: tracker.prices,
    });
    return { tracker, guard, llm: where === 'the models' ? cascade : (policies(cascade) as CascadeRouter) };
  };

  test('book every attempt of a hundred calls once, whole and streamed', async () => {
    const { tracker, guard, llm } = build();
    const answers = await times(100, (i) => {
      const prompt = `What is ${i} and ${i}?`;
      return i % 4 < 2 ? llm.generate(prompt) : llm.stream(prompt).result;
    });
    for (const [i, { text, route }] of answers.entries()) {
      expect(text).toContain(`That makes ${2 * i} in all`);
      expect(route.outcome).toBe(i % 2 === 1 ? 'escalated' : 'accepted');
    }
    await expectSettled(tracker, guard);
    expect(tracker.summary().exact.totalUsd).toBe(provider.bill.totalUsdExact);
    expect(provider.bill.entries).toHaveLength(250);
  });

  test('book what a consumer had before he left', async () => {
    const { tracker, guard, llm } = build();
    await times(20, async (i) => {
      const stream = llm.stream(`What is ${i} and ${i}?`);
      for await (const _ of stream.textStream) break;
      expect((await stream.result).finishReason).toBe('aborted');
    });
    // What the provider had sent beyond the last piece that was read is on its bill alone.
    await expectSettled(tracker, guard);
    expect(tracker.totalUsd).toBeGreaterThan(0);
    expect(tracker.totalUsd).toBeLessThanOrEqual(Number(provider.bill.totalUsdExact));
  });
});

test('an escalation that the budget refuses is none: the doubtful answer is handed out, and the route says so', async () => {
  const tracker = new CostTracker({ onWarning: () => {} });
  const guard = new BudgetGuard({ perRequest: 0.0005 }, { tracker });
  const guarded = (llm: LLM): LLM => wrap(llm, enforceBudget(guard), trackCost(tracker));
  const tiers = [guarded(groq()), guarded(openai('gpt-4o'))];
  const { text, route } = await new CascadeRouter({ tiers, verify: [doubtful] }).generate('What is 3 and 3?');
  expect(text).toContain('That makes 3');
  expect(route).toMatchObject({ outcome: 'unreachable', escalationError: { code: 'budget-exceeded' } });
  await expect(
    new CascadeRouter({ tiers, verify: [passes(() => false)] }).generate('What is 3 and 3?'),
  ).rejects.toMatchObject({ code: 'budget-exceeded' });
  expect(provider.bill.entries.map(({ model }) => model)).toEqual(Array(2).fill('llama-3.1-8b-instant'));
});

test('a router that sees the budget goes down to the cheaper model before anything is refused', async () => {
  const tracker = new CostTracker({ onWarning: () => {} });
  const guard = new BudgetGuard({ total: 0.004 }, { tracker });
  const guarded = (llm: LLM): LLM => wrap(llm, enforceBudget(guard), trackCost(tracker));
  const [small, large] = [guarded(groq()), guarded(openai('gpt-4o'))];
  const router = new Router({
    classifier: new LengthClassifier({ mediumFromChars: 1, complexFromChars: 2 }),
    routes: { simple: small, medium: small, complex: [large, small] },
    prices: tracker.prices,
    policies: [paceBudget({ budget: guard })],
  });
  const served: string[] = [];
  for (let i = 0; i < 40; i++) {
    const { route } = await router.generate(`What is ${i} and ${i}?`);
    expect(route.failures).toEqual([]);
    served.push(route.servedBy);
  }
  const firstSmall = served.indexOf('groq/llama-3.1-8b-instant');
  expect(firstSmall).toBeGreaterThan(5);
  expect(served.slice(firstSmall).every((id) => id !== 'gpt-4o')).toBe(true);
  expect(tracker.totalUsd).toBeLessThanOrEqual(0.004);
});
