import { BudgetExceededError, BudgetGuard } from '@synapsekit/budget';
import { ContainsKeywords, EvalSuite, evalCase, MaxCostUSD } from '@synapsekit/eval';
import type { Pipeline } from './pipeline.ts';

/** The tutorial's three cases, on a pipeline of one's own. In a file of its own, `synapsekit test FILE` runs it. */
export function createSuite(pipeline: Pipeline): EvalSuite {
  const testSimpleQueryCheap = evalCase(
    'test_simple_query_cheap',
    { description: 'Simple query routes to the cheapest model and costs under $0.001' },
    async ({ expect, signal }) => {
      const answer = await pipeline.ask('What year was Python first released?', {
        name: 'eval-simple',
        signal,
      });
      expect(answer.route.complexity).toBe('simple');
      return { output: answer.text, costUsd: answer.costUsd };
    },
  );

  const testComplexQueryQuality = evalCase(
    'test_complex_query_quality',
    { description: 'Complex query routes to the strongest model and stays under $0.10' },
    async ({ signal }) => {
      const query = 'Explain the time and space complexity of merge sort with a worked example.';
      const answer = await pipeline.ask(query, { name: 'eval-complex', signal });
      return { output: answer.text, costUsd: answer.costUsd };
    },
  );

  const testBudgetGuardBlocks = evalCase(
    'test_budget_guard_blocks',
    { description: 'Budget guard blocks a request that is over its limit' },
    async ({ expect }) => {
      const tight = new BudgetGuard({ perRequest: 0.000001 });
      const error = await tight.checkBefore(0.1).catch((reason: unknown) => reason);
      expect(error instanceof BudgetExceededError).toBe(true);
    },
  );

  return new EvalSuite({
    cases: [testSimpleQueryCheap, testComplexQueryQuality, testBudgetGuardBlocks],
    metrics: [
      new MaxCostUSD({ threshold: 0.001, applyTo: ['test_simple_query_cheap'] }),
      new MaxCostUSD({ threshold: 0.1, applyTo: ['test_complex_query_quality'] }),
      new ContainsKeywords({ keywords: ['merge'], applyTo: ['test_complex_query_quality'] }),
    ],
  });
}
