/** A model with every policy round it is still a model: it keeps the contract that the bare adapter keeps. */
import { BudgetGuard, enforceBudget } from '@synapsekit/budget';
import { wrap } from '@synapsekit/core';
import { CostTracker, trackCost } from '@synapsekit/cost';
import { OpenAILLM } from '@synapsekit/llm-openai';
import { breakOn, bulkhead, CircuitBreaker, rateLimit, retry, timeout } from '@synapsekit/resilience';
import { describeLLM } from '@synapsekit/testing/contracts';

const tracker = new CostTracker({ onWarning: () => {} });

describeLLM('an adapter with every policy round it', ({ simulated, apiKey, config }) =>
  wrap(
    new OpenAILLM({ model: 'gpt-4o-mini', baseURL: simulated.openaiBaseURL, apiKey, config }),
    timeout({ totalMs: 60_000 }),
    retry({ maxAttempts: 1 }),
    rateLimit({ requestsPerMinute: 1_000_000 }),
    bulkhead({ maxConcurrent: 2_000 }),
    enforceBudget(new BudgetGuard({ total: 1_000_000 }, { tracker })),
    breakOn(new CircuitBreaker({ name: 'openai', failureThreshold: 1_000 })),
    trackCost(tracker),
  ),
);
