import { ManualClock, sequentialIds } from '@synapsekit/testing';
import { CostTracker, type CostTrackerOptions } from '../src/cost-tracker.ts';
import { flatPrices } from './flat-prices.ts';

/** 1,000 input tokens of gpt-4o: a quarter of a cent. */
export const quarterCent = { inputTokens: 1_000, outputTokens: 0 };

/** A tracker of the prices of the tests, whose time stands still. */
export function newTracker(options: CostTrackerOptions = {}): CostTracker {
  return new CostTracker({
    prices: flatPrices(),
    clock: new ManualClock(),
    ids: sequentialIds(),
    ...options,
  });
}
