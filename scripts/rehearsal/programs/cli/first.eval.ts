import { ContainsKeywords, EvalSuite, evalCase, MaxLatencyMs } from '@synapsekit/eval';

const greeting = evalCase('greets', async () => ({ output: 'Hello, world.' }));

export default new EvalSuite({
  cases: [greeting],
  metrics: [new ContainsKeywords({ keywords: ['hello'] }), new MaxLatencyMs({ threshold: 5_000 })],
});
