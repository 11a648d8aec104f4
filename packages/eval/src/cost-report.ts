import { usdDecimal } from '@synapsekit/core';
import type { MeasuredCost } from './measured-cost.ts';
import type { CostReport } from './result.ts';

/** A measured cost, JSON-safe. */
export function reportCost(cost: MeasuredCost, reportedUsd?: string): CostReport {
  const { pico, calls, estimatedCalls, missingCalls, missing } = cost;
  return {
    usd: usdDecimal(pico),
    calls,
    estimatedCalls,
    missingCalls,
    missing,
    ...(reportedUsd !== undefined && { reportedUsd }),
  };
}
