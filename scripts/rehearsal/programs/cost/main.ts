import { CostTracker } from '@synapsekit/cost';

const tracker = new CostTracker();
const spent = tracker.scope('request', (scope) => {
  tracker.record('gpt-4o', { inputTokens: 1_000, outputTokens: 200 });
  return scope.costUsdExact;
});
console.log(spent, tracker.scopeCost('request'), tracker.summary().exact.byModel['gpt-4o']);
