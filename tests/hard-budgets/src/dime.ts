import { type BudgetGuard, enforceBudget } from '@synapsekit/budget';
import { type LLM, wrap } from '@synapsekit/core';
import { type CostTracker, PriceBook, trackCost } from '@synapsekit/cost';
import { OpenAILLM } from '@synapsekit/llm-openai';
import { type AnswerFunction, type SimulatedModel, SimulatedProvider } from '@synapsekit/testing';

/**
 * A model whose worst case is exactly $0.10: its prompts are free, a token of its answers costs a cent, and it may say
 * ten of them.
 */
const rates = { inputUsdPerMillion: 0, outputUsdPerMillion: 10_000 } as const;
const model = 'dime';
const dime: SimulatedModel = { provider: 'openai', id: model, ...rates, contextWindow: 128_000 };
const maxTokens = 10;

/** What a dime holds, in pico-dollars. */
export const dimePico = 100_000_000_000n;

export const dimePrices: PriceBook = new PriceBook({
  overrides: [{ model, provider: 'openai', ...rates, contextWindow: 128_000, maxOutputTokens: 16_384 }],
});

/** A provider of it. @param saysTokens how long the answer to a prompt is. */
export function dimeProvider(
  saysTokens: (userText: string) => number = () => maxTokens,
  latencyMs = 0,
): Promise<SimulatedProvider> {
  const answers: AnswerFunction = ({ userText }) => ({
    text: 'ten words',
    usage: { outputTokens: saysTokens(userText) },
  });
  return SimulatedProvider.start({ models: [dime], answers, latencyMs, maxRecords: 100_000 });
}

/** The official client, under a guard. */
export function guardedDime(baseURL: string, guard: BudgetGuard, tracker: CostTracker): LLM {
  return wrap(bareDime(baseURL), enforceBudget(guard), trackCost(tracker));
}

/** The same without a guard. */
export function bareDime(baseURL: string): LLM {
  return new OpenAILLM({ model, config: { maxTokens }, baseURL, apiKey: 'sk-simulated' });
}
