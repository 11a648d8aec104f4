import { type PicoUsd, usdDecimal, usdNumber } from '@synapsekit/core';

/** What is added up, alike at every level: of one attempt, of a scope, of everything. */
export interface Amounts {
  readonly pico: PicoUsd;
  /** The same as a number: see `summand`. */
  readonly picoNumber?: number | undefined;
  readonly calls: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly estimatedCalls: number;
  readonly unpricedCalls: number;
}

/** What is counted beside the money. */
export type CountName = Exclude<keyof Amounts, 'pico' | 'picoNumber'>;

/** The names of all counts. */
export const countNames: readonly CountName[] = [
  'calls',
  'inputTokens',
  'cachedInputTokens',
  'outputTokens',
  'reasoningTokens',
  'estimatedCalls',
  'unpricedCalls',
];

/** $4,503: the sum of two amounts up to here is an exact double. */
const exactLimit = 2 ** 52;

/** An amount as a number, if it may be added as one; `undefined` if it is too large. */
export function summand(pico: PicoUsd): number | undefined {
  const number = Number(pico);
  return Math.abs(number) < exactLimit ? number : undefined;
}

/**
 * Exact running sums. Money is added as a number, which makes no object, as long as that is exact; what gets too large
 * for it is carried over into a bigint.
 */
export class Totals implements Amounts {
  #carried: PicoUsd = 0n;
  /** The rest, within `exactLimit`. */
  #rest = 0;
  calls = 0;
  inputTokens = 0;
  cachedInputTokens = 0;
  outputTokens = 0;
  reasoningTokens = 0;
  estimatedCalls = 0;
  unpricedCalls = 0;

  get pico(): PicoUsd {
    return this.#carried + BigInt(this.#rest);
  }

  set pico(pico: PicoUsd) {
    this.#carried = pico;
    this.#rest = 0;
  }

  add(amounts: Amounts): void {
    const { picoNumber } = amounts;
    if (picoNumber === undefined) this.#carried += amounts.pico;
    else this.#addNumber(picoNumber);
    this.calls += amounts.calls;
    this.inputTokens += amounts.inputTokens;
    this.cachedInputTokens += amounts.cachedInputTokens;
    this.outputTokens += amounts.outputTokens;
    this.reasoningTokens += amounts.reasoningTokens;
    this.estimatedCalls += amounts.estimatedCalls;
    this.unpricedCalls += amounts.unpricedCalls;
  }

  #addNumber(pico: number): void {
    const sum = this.#rest + pico;
    if (Math.abs(sum) <= exactLimit) {
      this.#rest = sum;
    } else {
      this.#carried += BigInt(sum);
      this.#rest = 0;
    }
  }
}

/** What `next` has more than `previous`; less where it is negative. */
export function difference(next: Amounts, previous: Amounts): Amounts {
  return {
    pico: next.pico - previous.pico,
    calls: next.calls - previous.calls,
    inputTokens: next.inputTokens - previous.inputTokens,
    cachedInputTokens: next.cachedInputTokens - previous.cachedInputTokens,
    outputTokens: next.outputTokens - previous.outputTokens,
    reasoningTokens: next.reasoningTokens - previous.reasoningTokens,
    estimatedCalls: next.estimatedCalls - previous.estimatedCalls,
    unpricedCalls: next.unpricedCalls - previous.unpricedCalls,
  };
}

/** Sums as they are handed out. Token counts follow core's `Usage`: input includes cached, output reasoning. */
export interface SpendTotals {
  /** Dollars, for display: the double nearest to the exact total, never a sum of doubles. */
  readonly costUsd: number;
  /** Dollars, exact, as a decimal string. */
  readonly costUsdExact: string;
  /** Attempts that cost something, or may have. */
  readonly calls: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  /** How many of the calls have estimated token counts. */
  readonly estimatedCalls: number;
  /** How many of the calls have no known price: their tokens are counted here, their cost is not. */
  readonly unpricedCalls: number;
}

/** A copy of the sums, fit to be handed out. */
export function toSpendTotals(amounts: Amounts): SpendTotals {
  const { pico, calls, inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = amounts;
  return {
    costUsd: usdNumber(pico),
    costUsdExact: usdDecimal(pico),
    calls,
    inputTokens,
    cachedInputTokens,
    outputTokens,
    reasoningTokens,
    estimatedCalls: amounts.estimatedCalls,
    unpricedCalls: amounts.unpricedCalls,
  };
}
