import { sumTokens } from '../src/measured-tokens.ts';
import type { CaseRun } from '../src/metric.ts';

/** A run of a case as metrics see it, without costs unless said otherwise. */
export function caseRun(facts: Partial<CaseRun> = {}): CaseRun {
  return {
    name: 'case',
    value: undefined,
    output: undefined,
    cost: { pico: 0n, calls: 0, estimatedCalls: 0, missingCalls: 0, missing: [] },
    latencyMs: 0,
    reported: {},
    attempts: [],
    calls: [],
    tokens: sumTokens(facts.calls ?? []),
    budgetEvents: [],
    breakerEvents: [],
    breakers: new Map(),
    trial: 0,
    signal: new AbortController().signal,
    ...facts,
  };
}
