import type { CallReport } from './call-report.ts';

/** The tokens of some calls. */
export interface MeasuredTokens {
  readonly input: number;
  readonly output: number;
  readonly total: number;
  /** How many calls the sums are made of. */
  readonly calls: number;
  readonly estimatedCalls: number;
  /** How many calls may have used tokens that are not in the sums. */
  readonly missingCalls: number;
  /** Models of these, each once. */
  readonly missing: readonly string[];
}

/** Adds the tokens of calls up. */
export function sumTokens(calls: readonly CallReport[]): MeasuredTokens {
  let input = 0;
  let output = 0;
  let counted = 0;
  let estimatedCalls = 0;
  let missingCalls = 0;
  const missing = new Set<string>();
  for (const { model, outcome, usage, estimated } of calls) {
    if (usage !== undefined) {
      input += usage.inputTokens;
      output += usage.outputTokens;
      counted++;
      if (estimated === true) estimatedCalls++;
    } else if (outcome !== 'refused' && outcome !== 'unsent') {
      missingCalls++;
      missing.add(model);
    }
  }
  return {
    input,
    output,
    total: input + output,
    calls: counted,
    estimatedCalls,
    missingCalls,
    missing: [...missing],
  };
}
