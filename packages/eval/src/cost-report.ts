import { parseUsd, usdDecimal } from '@synapsekit/core';
import type { MeasuredCost } from './measured-cost.ts';
import type { CostReport } from './result.ts';
import type { TrafficReport } from './traffic-control.ts';

/** What a case cost that called nobody: the same for all of them. */
export const noCost: CostReport = Object.freeze({
  usd: '0',
  calls: 0,
  estimatedCalls: 0,
  missingCalls: 0,
  missing: Object.freeze([]),
});

/** A measured cost, JSON-safe. */
export function reportCost(cost: MeasuredCost, reportedUsd?: string): CostReport {
  const { pico, calls, estimatedCalls, missingCalls, missing } = cost;
  if (pico === 0n && calls + missingCalls === 0 && reportedUsd === undefined) return noCost;
  return {
    usd: usdDecimal(pico),
    calls,
    estimatedCalls,
    missingCalls,
    missing,
    ...(reportedUsd !== undefined && { reportedUsd }),
  };
}

/** Several reported costs as one. Reasons for missing costs are named once. */
export function sumCosts(costs: readonly CostReport[]): MeasuredCost {
  let pico = 0n;
  let [calls, estimatedCalls, missingCalls] = [0, 0, 0];
  const missing = new Set<string>();
  for (const cost of costs) {
    pico += parseUsd(cost.usd);
    calls += cost.calls;
    estimatedCalls += cost.estimatedCalls;
    missingCalls += cost.missingCalls;
    for (const reason of cost.missing) missing.add(reason);
  }
  return { pico, calls, estimatedCalls, missingCalls, missing: [...missing] };
}

/** A cost and others, reported as one. */
export function addCosts(cost: CostReport, others: readonly CostReport[]): CostReport {
  return others.length === 0 ? cost : reportCost(sumCosts([cost, ...others]));
}

/** Several reports of what went over the wire as one; `undefined` when there is none. */
export function sumTraffic(reports: readonly (TrafficReport | undefined)[]): TrafficReport | undefined {
  let pico = 0n;
  let [requests, replayed, recorded, unknownCost] = [0, 0, 0, 0];
  const known = reports.filter((report) => report !== undefined);
  if (known.length === 0) return undefined;
  for (const report of known) {
    pico += parseUsd(report.billedUsd);
    requests += report.requests;
    replayed += report.replayed;
    recorded += report.recorded;
    unknownCost += report.unknownCost ?? 0;
  }
  return {
    billedUsd: usdDecimal(pico),
    requests,
    replayed,
    recorded,
    ...(unknownCost > 0 && { unknownCost }),
  };
}
