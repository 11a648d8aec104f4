/**
 * The eval suite of the demo's pipeline. Its traffic is on tape (`__tapes__`), faults included, so it runs anywhere for
 * nothing: `pnpm synapsekit test apps/demo/evals --replay`. `node apps/demo/evals/record.ts` tapes it anew.
 */
import {
  BreakerState,
  BudgetBlocked,
  ContainsKeywords,
  EvalSuite,
  evalCase,
  jsonl,
  MaxCalls,
  MaxCostUSD,
  MaxTotalCostUSD,
  NoFallback,
  RoutedTo,
} from '@synapsekit/eval';
import { createSuite } from '../src/evals.ts';
import { connectModels, tutorialModels } from '../src/models.ts';
import { createPipeline, type Pipeline } from '../src/pipeline.ts';

/** A replayed run needs no keys, and an SDK wants some. */
const endpoints = {
  openai: { apiKey: process.env.OPENAI_API_KEY ?? 'replayed-without-a-key' },
  groq: { apiKey: process.env.GROQ_API_KEY ?? 'replayed-without-a-key' },
};

const pipelineWith = (perRequest: number): Pipeline =>
  createPipeline({
    models: connectModels(tutorialModels, endpoints),
    limits: { perRequest, daily: 5 },
    onWarning() {},
  });

/** Step 5 of the tutorial. */
const tutorial = createSuite(pipelineWith(0.1));

interface Row {
  readonly query: string;
  readonly complexity: string;
  readonly model: string;
}

const shared = pipelineWith(0.1);

/** Each kind of query goes to its model, with one call to classify it and one to answer it. */
const routed = await evalCase.each(jsonl<Row>(new URL('queries.jsonl', import.meta.url)))(
  '$complexity: $query',
  ({ model }) => ({
    tags: ['routing'],
    metrics: [new RoutedTo({ model }), new MaxCalls({ threshold: 2 }), new NoFallback()],
  }),
  async ({ query, complexity }, { expect, signal }) => {
    const answer = await shared.ask(query, { name: 'routed', signal });
    expect(answer.route.complexity).toBe(complexity);
    return { output: answer.text, costUsd: answer.costUsd };
  },
);

const routing = new EvalSuite({
  name: 'routing',
  cases: routed,
  metrics: [new MaxCostUSD({ threshold: 0.02 }), new MaxTotalCostUSD({ threshold: 0.03 })],
});

const down = pipelineWith(0.1);
const throttled = pipelineWith(0.1);
const poor = pipelineWith(0.000001);

const outage = evalCase(
  'outage of OpenAI',
  {
    description: 'Complex queries fall over to Groq, and the circuit opens',
    tags: ['faults'],
    metrics: [
      new RoutedTo({ model: 'groq/llama-3.3-70b-versatile' }),
      new BreakerState({ breaker: down.breakers.openai, state: 'open' }),
    ],
  },
  async ({ signal }) => {
    const query =
      'Explain the time and space complexity of quicksort with a worked example, during an outage.';
    for (let time = 0; time < 2; time++) await down.ask(query, { name: 'outage', signal });
    return { output: (await down.ask(query, { name: 'outage', signal })).text };
  },
);

const rateLimit = evalCase(
  'rate limit of Groq',
  {
    description: 'A 429 is waited for, and nobody else is asked',
    tags: ['faults'],
    metrics: [
      new RoutedTo({ model: 'groq/*', calls: 'all' }),
      new MaxCalls({ threshold: 3 }),
      new NoFallback(),
    ],
  },
  async ({ signal }) => {
    const answer = await throttled.ask('What is the capital of Peru?', { name: 'throttled', signal });
    return { output: answer.text };
  },
);

const budget = evalCase(
  'budget',
  {
    description: 'A request that might cost more than it may is not sent',
    metrics: [new BudgetBlocked({ limit: 'perRequest', nothingSent: true })],
  },
  async ({ expect, signal }) => {
    const asking = poor.ask('What is the capital of Chad?', { name: 'poor', signal });
    await expect(asking).rejects.toThrow('perRequest');
  },
);

const resilience = new EvalSuite({
  name: 'resilience',
  cases: [outage, rateLimit, budget],
  metrics: [
    new MaxCostUSD({ threshold: 0.01, applyTo: ['outage of OpenAI', 'rate limit of Groq'] }),
    new ContainsKeywords({ keywords: ['quicksort'], applyTo: ['outage of OpenAI'] }),
  ],
});

export const suites: readonly EvalSuite[] = [tutorial, routing, resilience];
