import { setImmediate as nextTurn } from 'node:timers/promises';
import { BudgetGuard, enforceBudget } from '@synapsekit/budget';
import { createTokenCounter, defineLLM, type LLM, maxPromptTokens, wrap } from '@synapsekit/core';
import { CostTracker, trackCost } from '@synapsekit/cost';
import { breakOn, CircuitBreaker } from '@synapsekit/resilience';
import * as o200k from 'gpt-tokenizer/encoding/o200k_base';
import type { Bench } from './harness/bench.ts';

const prompt =
  'Summarise the following ticket in one sentence and say which team should take it: the export of invoices ' +
  'stops after the first page when the customer has more than one currency, since Tuesday, for all tenants.';
const answer = {
  text: 'Billing: multi-currency exports stop early.',
  usage: { inputTokens: 40, outputTokens: 9 },
};
const inFlight = 1_000;

/** A model that answers at once, or in the next turn of the event loop: what is left is what stands round it. */
const noop = (waits: boolean): LLM =>
  defineLLM({
    provider: 'openai',
    model: 'gpt-4o-mini',
    generate: waits ? () => nextTurn(answer) : () => answer,
  });

const limits = { perRequest: 1, hourly: 1e6, daily: 1e6, total: 1e6 };

/** Everything: four scopes round the call; a hold over four limits, breaker, price, record and settlement in it. */
class Stack {
  readonly tracker = new CostTracker();
  readonly #llm: LLM;

  constructor(model: LLM, perRequest: number = limits.perRequest) {
    const guard = new BudgetGuard({ ...limits, perRequest }, { tracker: this.tracker });
    const breaker = new CircuitBreaker({ name: 'bench' });
    this.#llm = wrap(model, enforceBudget(guard), breakOn(breaker), trackCost(this.tracker));
  }

  call(maxTokens = 256, request = 'request'): Promise<unknown> {
    const { tracker } = this;
    return tracker.scope('tenant:1', () =>
      tracker.scope('feature:triage', () =>
        tracker.scope(request, () =>
          tracker.scope('step:summary', () => this.#llm.generate(prompt, { maxTokens })),
        ),
      ),
    );
  }
}

export const bench: Bench = {
  title: 'The whole stack around a model that does nothing',
  async run({ compare }) {
    const { countPrompt } = createTokenCounter(o200k);
    const exact = countPrompt(prompt);
    const bound = maxPromptTokens(prompt);
    if (exact >= bound) throw new Error(`${exact} tokens counted, ${bound} at most`);
    return [await alone(), await crowd()];

    async function alone() {
      const bare = noop(false);
      const stack = new Stack(bare);
      // Between what the exact count and what the bound would have to hold.
      const price = stack.tracker.prices.find({ provider: 'openai', model: 'gpt-4o-mini' });
      const hold = (inputTokens: number): number =>
        Number(price?.maxCostPico({ inputTokens, outputTokens: 16 })) / 1e12;
      const tight = new Stack(bare, (hold(exact) + hold(bound)) / 2);
      await tight.call(16);
      await stack.call();
      const { calls, totalUsd } = stack.tracker.summary();
      if (calls !== 1 || totalUsd === 0) throw new Error('The stack recorded nothing.');
      const tracker = new CostTracker();
      const layers = [
        ['bare model and breakOn', wrap(bare, breakOn(new CircuitBreaker({ name: 'layer' })))],
        ['bare model and trackCost', wrap(bare, trackCost(tracker))],
        [
          'bare model and enforceBudget',
          wrap(bare, enforceBudget(new BudgetGuard(limits, { prices: tracker.prices }))),
        ],
      ] as const;
      return compare({
        title: 'One call at a time',
        mode: 'async',
        contenders: [
          { name: 'bare model', op: () => bare.generate(prompt, { maxTokens: 256 }) },
          { name: 'async function', op: async () => answer },
          ...layers.map(([name, llm]) => ({ name, op: () => llm.generate(prompt, { maxTokens: 256 }) })),
          { name: 'whole stack, byte bound', op: () => stack.call() },
          {
            name: 'whole stack, a scope name of its own for each call',
            op: (index) => stack.call(256, `request:${index}`),
          },
          { name: 'whole stack, prompt counted exactly', op: () => tight.call(16) },
          { name: 'exact token count alone', op: () => countPrompt(prompt) },
        ],
        targets: [
          {
            text: 'the stack alone: what it adds to a call',
            difference: ['whole stack, byte bound', 'bare model'],
            limit: 11_000,
          },
          {
            text: 'the stack alone, where every call has a scope name of its own',
            difference: ['whole stack, a scope name of its own for each call', 'bare model'],
            limit: 11_000,
            note: 'Ten thousand names are kept apart; with every call the oldest one folds into its group.',
          },
        ],
      });
    }

    function crowd() {
      const bare = noop(true);
      const stack = new Stack(bare);
      const all = (call: () => Promise<unknown>) => () => Promise.all(Array.from({ length: inFlight }, call));
      return compare(
        {
          title: `${inFlight.toLocaleString('en-US')} calls in flight, per call`,
          mode: 'async',
          contenders: [
            { name: 'bare model', op: all(() => bare.generate(prompt, { maxTokens: 256 })), units: inFlight },
            { name: 'async function', op: all(() => nextTurn(answer)), units: inFlight },
            { name: 'whole stack, byte bound', op: all(() => stack.call()), units: inFlight },
          ],
          targets: [
            {
              text: 'the stack with 1,000 in flight: what it adds to a call',
              difference: ['whole stack, byte bound', 'bare model'],
              limit: 11_000,
            },
          ],
        },
        { sampleMs: 60 },
      );
    }
  },
};
