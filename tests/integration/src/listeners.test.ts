/** Who is told of an attempt cannot harm the call, through however many layers he is told. */
import { type LLMMiddleware, wrap } from '@synapsekit/core';
import { CostTracker, trackCost } from '@synapsekit/cost';
import { OpenAILLM } from '@synapsekit/llm-openai';
import { fallbackChain, RateLimiter, rateLimit, retry } from '@synapsekit/resilience';
import { LengthClassifier, Router } from '@synapsekit/router';
import { SimulatedProvider } from '@synapsekit/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

let provider: SimulatedProvider;
beforeAll(async () => {
  provider = await SimulatedProvider.start();
});
afterAll(() => provider.close());

const layers: readonly (readonly [string, LLMMiddleware])[] = [
  ['nothing', (llm) => llm],
  ['trackCost', trackCost(new CostTracker())],
  ['retry', retry()],
  ['rateLimit', rateLimit(new RateLimiter({ requestsPerMinute: 1_000 }))],
  ['fallbackChain', (llm) => fallbackChain([llm])],
  [
    'Router',
    (llm) =>
      new Router({ classifier: new LengthClassifier(), routes: { simple: llm, medium: llm, complex: llm } }),
  ],
];

test.each(layers)('an async onAttempt that rejects behind %s is a warning, not the end', async (_, layer) => {
  const warned = vi.spyOn(process, 'emitWarning').mockReturnValue();
  const model = new OpenAILLM({
    model: 'gpt-4o-mini',
    baseURL: provider.openaiBaseURL,
    apiKey: 'sk-simulated',
  });
  const llm = wrap(model, layer);
  const onAttempt = () => Promise.reject(new Error('the database of the caller is away'));
  await llm.generate('What is 2 + 2?', { onAttempt });
  await llm.stream('What is 2 + 2?', { onAttempt }).result;
  await vi.waitFor(() => expect(warned).toHaveBeenCalledTimes(2));
  expect(warned.mock.calls[0]?.[1]).toMatchObject({ code: 'SYNAPSEKIT_LISTENER' });
  warned.mockRestore();
});
