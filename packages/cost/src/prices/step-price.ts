import {
  assertTokenCounts,
  ConfigError,
  type PicoUsd,
  type Price,
  type Retirement,
  type TokenCounts,
} from '@synapsekit/core';
import type { PriceStep } from './price-table.ts';
import { type Rates, splitCounts, totalPico } from './rates.ts';

/** What a price carries besides its figures. */
export interface PriceFacts {
  readonly provider: string;
  readonly model: string;
  readonly source: string;
  readonly contextWindow?: number | undefined;
  readonly maxOutputTokens?: number | undefined;
  readonly retirement?: Retirement | undefined;
}

/** A price in steps by prompt length. Frozen; `JSON.stringify` shows its facts. */
export class StepPrice implements Price {
  readonly provider: string;
  readonly model: string;
  readonly source: string;
  readonly contextWindow: number | undefined;
  readonly maxOutputTokens: number | undefined;
  readonly retirement: Retirement | undefined;
  /** Shortest prompts first; the first one takes every length. */
  readonly #steps: readonly PriceStep[];

  constructor(facts: PriceFacts, steps: readonly PriceStep[]) {
    this.provider = facts.provider;
    this.model = facts.model;
    this.source = facts.source;
    this.contextWindow = facts.contextWindow;
    this.maxOutputTokens = facts.maxOutputTokens;
    this.retirement = facts.retirement;
    this.#steps = steps;
    Object.freeze(this);
  }

  /** @throws ConfigError for counts that contradict each other, e.g. more cached than input tokens. */
  costPico(usage: TokenCounts): PicoUsd {
    assertTokenCounts(usage);
    assertAudioCounts(usage);
    const { rates } = this.#steps.findLast((step) => usage.inputTokens > step.aboveInputTokens) as PriceStep;
    return totalPico(splitCounts(usage, rates), rates);
  }

  /**
   * Never falls when a count grows: fewer tokens than allowed may fall into a cheaper or a dearer step, so the
   * dearest step within reach counts. Audio is not covered: it is no text.
   *
   * @throws ConfigError for a count that is negative or not whole.
   */
  maxCostPico(tokens: { readonly inputTokens: number; readonly outputTokens: number }): PicoUsd {
    assertTokenCounts({ inputTokens: tokens.inputTokens, outputTokens: tokens.outputTokens });
    let most = 0n;
    for (const { aboveInputTokens, rates } of this.#steps) {
      if (tokens.inputTokens <= aboveInputTokens) break;
      const cost = totalPico(dearestCounts(tokens, rates), rates);
      if (cost > most) most = cost;
    }
    return most;
  }
}

/** All of the input at the dearest way to count it, and all of the output. */
function dearestCounts(
  { inputTokens, outputTokens }: { readonly inputTokens: number; readonly outputTokens: number },
  { scaled }: Rates,
): number[] {
  const [input = 0n, output = 0n, cached = 0n, write = 0n, , , , reasoning = 0n] = scaled;
  const counts = [0, 0, 0, 0, 0, 0, 0, 0, 1];
  counts[input >= cached && input >= write ? 0 : cached >= write ? 2 : 3] = inputTokens;
  counts[output >= reasoning ? 1 : 7] = outputTokens;
  return counts;
}

function assertAudioCounts({
  inputTokens,
  outputTokens,
  inputAudioTokens = 0,
  outputAudioTokens = 0,
}: TokenCounts): void {
  if (inputAudioTokens <= inputTokens && outputAudioTokens <= outputTokens) return;
  const [part, whole] = inputAudioTokens > inputTokens ? ['input', inputTokens] : ['output', outputTokens];
  const audio = part === 'input' ? inputAudioTokens : outputAudioTokens;
  throw new ConfigError(
    `${part}AudioTokens (${audio}) exceed ${part}Tokens (${whole}); ${part}Tokens includes them.`,
    { option: `${part}Tokens` },
  );
}
