/** Money is booked once: the seven cases, each against the provider's own bill, to the last pico-dollar. */
import { BudgetExceededError, BudgetGuard, type BudgetLimit, enforceBudget } from '@synapsekit/budget';
import { type LLM, usdDecimal, wrap } from '@synapsekit/core';
import { CostTracker, trackCost } from '@synapsekit/cost';
import { GroqLLM } from '@synapsekit/llm-groq';
import { OpenAILLM } from '@synapsekit/llm-openai';
import { fallbackChain, retry } from '@synapsekit/resilience';
import { LLMClassifier, Router } from '@synapsekit/router';
import { faults, SimulatedProvider } from '@synapsekit/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

let provider: SimulatedProvider;
beforeAll(async () => {
  provider = await SimulatedProvider.start();
});
beforeEach(() => provider.reset());
afterAll(() => provider.close());

const config = { maxTokens: 200, trackTokens: true };
const mini = (): LLM =>
  new OpenAILLM({ model: 'gpt-4o-mini', config, baseURL: provider.openaiBaseURL, apiKey: 'sk-simulated' });
const large = (): LLM =>
  new OpenAILLM({ model: 'gpt-4o', config, baseURL: provider.openaiBaseURL, apiKey: 'sk-simulated' });
const groq = (): LLM =>
  new GroqLLM({
    model: 'llama-3.1-8b-instant',
    config,
    baseURL: provider.groqBaseURL,
    apiKey: 'gsk_simulated',
  });

const limits: BudgetLimit = { perRequest: 0.1, daily: 5, monthly: 50, total: 500 };

/** The bill, the tracker and every limit of every guard agree; nothing is held any more. */
async function expectExact(
  tracker: CostTracker | undefined,
  ...guards: readonly BudgetGuard[]
): Promise<void> {
  await provider.idle();
  expect(provider.bill.totalPico).toBeGreaterThan(0n);
  const billed = provider.bill.totalUsdExact;
  if (tracker !== undefined) expect(tracker.summary().exact.totalUsd).toBe(billed);
  for (const guard of guards) {
    await guard.flush();
    const status = await guard.status();
    const windows = status.limits.filter(({ limit }) => limit !== 'perRequest');
    expect(windows.map(({ limit }) => limit)).toEqual(['daily', 'monthly', 'total']);
    for (const { limit, committedUsdExact, heldUsdExact } of windows) {
      expect({ limit, committedUsdExact, heldUsdExact }).toEqual({
        limit,
        committedUsdExact: billed,
        heldUsdExact: '0',
      });
    }
  }
}

const times = <T>(count: number, make: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => make(i)));

describe('money is booked once', () => {
  test('(a) by hand, with a guard that is fed by the tracker', async () => {
    const tracker = new CostTracker();
    const guard = new BudgetGuard(limits, { tracker });
    const llm = mini();
    await times(50, async (i) => {
      await guard.checkBefore(0);
      const record = await tracker.scope(`request:${i}`, async () => {
        const generation = await llm.generate(`What is ${i} + ${i}?`);
        return tracker.record(llm.id, generation.usage);
      });
      await guard.checkAfter(record.costUsd);
    });
    await expectExact(tracker, guard);
  });

  test('(b) composed, guard and tracker together, also a hundred at once and in streams', async () => {
    const tracker = new CostTracker();
    const guard = new BudgetGuard(limits, { tracker });
    const llm = wrap(mini(), enforceBudget(guard), trackCost(tracker));
    await times(50, (i) => llm.generate(`What is ${i} + 1?`));
    await times(50, (i) => llm.stream(`Explain the number ${i}.`).result);
    await expectExact(tracker, guard);
  });

  test('(b) the other way round: the tracker outside the guard', async () => {
    const tracker = new CostTracker();
    const guard = new BudgetGuard(limits, { tracker });
    const llm = wrap(mini(), trackCost(tracker), enforceBudget(guard));
    await times(20, (i) => llm.generate(`What is ${i} + 1?`));
    await expectExact(tracker, guard);
  });

  test('(c) composed, without a tracker', async () => {
    const guard = new BudgetGuard(limits, { prices: new CostTracker().prices });
    const llm = wrap(groq(), enforceBudget(guard));
    await times(50, (i) => llm.generate(`What is ${i} + 2?`));
    await llm.stream('Explain the difference between TCP and UDP.').result;
    await expectExact(undefined, guard);
  });

  test('(d) a global and a per-user guard over one tracker, the inner one refusing', async () => {
    const tracker = new CostTracker();
    const everyone = new BudgetGuard(limits, { tracker, name: 'everyone' });
    const user = new BudgetGuard(
      { total: '0.001' },
      { tracker, name: 'user', countsRecord: ({ attributes }) => attributes.userId === 'u1' },
    );
    const others = wrap(mini(), enforceBudget(everyone), trackCost(tracker));
    const users = wrap(mini(), enforceBudget(everyone), enforceBudget(user), trackCost(tracker));
    await times(20, () => others.generate('What is 1 + 1?'));
    const asked = await tracker.scope('u1', () =>
      Promise.allSettled(
        Array.from({ length: 40 }, () => users.generate('What is 1 + 1?', { attributes: { userId: 'u1' } })),
      ),
    );
    const refused = asked.filter((result) => result.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(asked.length);
    for (const result of refused) {
      expect(result).toMatchObject({ reason: { code: 'budget-exceeded', guard: 'user' } });
    }
    expect(provider.requests).toHaveLength(20 + asked.length - refused.length);
    await expectExact(tracker, everyone);
    const { limits: ofUser } = await user.status();
    expect(ofUser).toMatchObject([{ committedUsdExact: tracker.scopeCostExact('u1'), heldUsdExact: '0' }]);
  });

  test('(e) a record without a hold', async () => {
    const tracker = new CostTracker();
    const guard = new BudgetGuard(limits, { tracker });
    const { usage } = await groq().generate('What is 3 + 4?');
    tracker.record('groq/llama-3.1-8b-instant', usage);
    tracker.record('groq/llama-3.1-8b-instant', usage); // the same attempt: the same money
    await expectExact(tracker, guard);
  });

  test.each(['outside', 'inside'] as const)(
    '(f) two billed attempts of one retried call, the retry %s the guard',
    async (place) => {
      const tracker = new CostTracker();
      const guard = new BudgetGuard(limits, { tracker });
      const again = retry({ maxAttempts: 2, baseDelayMs: 1 });
      const inner = [enforceBudget(guard), trackCost(tracker)] as const;
      const llm =
        place === 'outside' ? wrap(mini(), again, ...inner) : wrap(mini(), inner[0], again, inner[1]);
      // The first stream ends before its first word: the provider bills what it read.
      provider.fail(faults.endAfter(0));
      const { attempts } = await llm.stream('What is 5 + 5?').result;
      expect(attempts.map(({ outcome }) => outcome)).toEqual(['partial', 'served']);
      expect(provider.bill.entries.map(({ reason }) => reason)).toEqual(['cut', 'complete']);
      await expectExact(tracker, guard);
    },
  );

  test('(g) a guard round a router of guarded candidates', async () => {
    const tracker = new CostTracker();
    const guard = new BudgetGuard(limits, { tracker });
    const guarded = (llm: LLM): LLM => wrap(llm, enforceBudget(guard), trackCost(tracker));
    const cheap = guarded(groq());
    const router = new Router({
      classifier: new LLMClassifier({ llm: cheap }),
      routes: {
        simple: cheap,
        medium: fallbackChain([guarded(mini()), cheap]),
        complex: [guarded(large()), cheap],
      },
      scope: (step, fn) => tracker.scope(`step:${step}`, fn),
    });
    const outer = wrap(router, enforceBudget(guard));
    await times(30, (i) =>
      outer.generate(['What is 2 + 2?', 'Summarise the CAP theorem.', 'Write a B-tree.'][i % 3] ?? ''),
    );
    await outer.stream('Explain the difference between REST and GraphQL.').result;
    await expectExact(tracker, guard);
  });
});

test('where the provider tells no usage, the tokenizer counts what the provider bills', async () => {
  provider.fail(faults.missingUsage(), { times: 4 });
  const tracker = new CostTracker();
  for (const llm of [mini(), groq()].map((model) => wrap(model, trackCost(tracker)))) {
    const { usage } = await llm.generate('What is the capital of France?');
    expect(usage).toMatchObject({ source: 'estimated' });
    await llm.stream('Explain the difference between TCP and UDP.').result;
  }
  expect(tracker.summary()).toMatchObject({ calls: 4, estimatedCalls: 4 });
  await expectExact(tracker);
});

test('a refusal is a refusal before anything is sent', async () => {
  const guard = new BudgetGuard({ perRequest: '0.0000001' }, { prices: new CostTracker().prices });
  const error = await wrap(large(), enforceBudget(guard))
    .generate('Write a Python function to find all prime numbers up to N.')
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(BudgetExceededError);
  expect(provider.requests).toHaveLength(0);
  expect(usdDecimal(provider.bill.totalPico)).toBe('0');
});
