import { BudgetGuard, enforceBudget } from '@synapsekit/budget';
import { type LLM, wrap } from '@synapsekit/core';
import { CostTracker, trackCost } from '@synapsekit/cost';
import { GroqLLM } from '@synapsekit/llm-groq';
import { OpenAILLM } from '@synapsekit/llm-openai';
import { breakOn, CircuitBreaker, fallbackChain, retry } from '@synapsekit/resilience';
import { LLMClassifier, Router } from '@synapsekit/router';
import { SimulatedProvider } from '@synapsekit/testing';

const provider = await SimulatedProvider.start();
const tracker = new CostTracker({ onWarning: () => {} });
const guard = new BudgetGuard({ perRequest: 0.1, daily: 50 }, { tracker });
const breaker = new CircuitBreaker({ name: 'all' });
const guarded = (llm: LLM): LLM =>
  wrap(llm, retry({ maxAttempts: 2 }), enforceBudget(guard), breakOn(breaker), trackCost(tracker));

const config = { maxTokens: 512 };
const cheap = guarded(new GroqLLM({ model: 'llama-3.1-8b-instant', baseURL: provider.groqBaseURL, config }));
const strong = guarded(new OpenAILLM({ model: 'gpt-4o', baseURL: provider.openaiBaseURL, config }));
const router = new Router({
  classifier: new LLMClassifier({ llm: cheap }),
  routes: { simple: fallbackChain([cheap, strong]), medium: strong, complex: strong },
  prices: tracker.prices,
});
const { text, route } = await router.generate('What is the capital of France?');
const stream = router.stream('What is 2 + 2?');
for await (const piece of stream.textStream) process.stdout.write(piece);
console.log(` ${text} ${route.complexity} ${route.servedBy}`);
console.log(tracker.totalUsdExact === provider.bill.totalUsdExact ? 'tracker = bill' : 'the books differ');
await provider.close();
