import { parseUsd, requireNumber, usdDecimal } from '@synapsekit/core';

/** What a case says about its own cost and latency. */
export interface ReportedFigures {
  readonly costUsd?: number | undefined;
  /** `costUsd`, exact, as a decimal string. */
  readonly costUsdExact?: string | undefined;
  readonly latencyMs?: number | undefined;
}

/**
 * Reads the figures that a case may return.
 *
 * @throws ConfigError when one of them is no amount or no time: NaN must not look like nothing.
 */
export function reportedFigures(value: unknown): ReportedFigures {
  if (typeof value !== 'object' || value === null) return {};
  const { costUsd, latencyMs, attempts } = value as { readonly [key: string]: unknown };
  return {
    ...(costUsd !== undefined && { costUsd: Number(costUsd), costUsdExact: exactUsd(costUsd) }),
    // That of a generation is the time of one call, which the case says nothing about.
    ...(latencyMs !== undefined &&
      !Array.isArray(attempts) && {
        latencyMs: requireNumber(latencyMs, 'latencyMs that the case returned', { min: 0 }),
      }),
  };
}

function exactUsd(costUsd: unknown): string {
  const what = 'costUsd that the case returned';
  return usdDecimal(parseUsd(typeof costUsd === 'string' ? costUsd : requireNumber(costUsd, what), what));
}
