import type { Attempt, PicoUsd } from '@synapsekit/core';
import type { Charge } from './charge.ts';

/** What was measured of the cost of some code. */
export interface MeasuredCost {
  /** The sum of everything that was recorded with a price, in pico-dollars. Exact. */
  readonly pico: PicoUsd;
  /** How many calls that sum is made of. */
  readonly calls: number;
  /** How many of them are priced by estimated tokens, because the provider counted none. */
  readonly estimatedCalls: number;
  /** How many calls may have cost something that is not in the sum. */
  readonly missingCalls: number;
  /** What is missing and why, one sentence part each. Empty when nothing is. */
  readonly missing: readonly string[];
}

/** An attempt of these outcomes may be on the provider's bill. */
const billable: ReadonlySet<Attempt['outcome']> = new Set(['served', 'partial', 'unanswered']);

/** Adds up charges, and finds the attempts that nobody charged; `undefined` stands for one that is still running. */
export function sumCharges(
  charges: ReadonlyMap<string, Charge>,
  attempts: ReadonlyMap<string, Attempt | undefined>,
): MeasuredCost {
  let pico = 0n;
  let calls = 0;
  let estimatedCalls = 0;
  const unpriced: string[] = [];
  for (const charge of charges.values()) {
    if (charge.pico === undefined) {
      unpriced.push(charge.model);
      continue;
    }
    pico += charge.pico;
    calls++;
    if (charge.estimated) estimatedCalls++;
  }
  const unrecorded: string[] = [];
  let running = 0;
  for (const [attemptId, attempt] of attempts) {
    if (charges.has(attemptId)) continue;
    if (attempt === undefined) running++;
    else if (billable.has(attempt.outcome)) unrecorded.push(attempt.id);
  }
  const missing = [
    unpriced.length > 0 && `no price for ${names(unpriced)}`,
    unrecorded.length > 0 && `no tracker recorded ${count(unrecorded.length)} to ${names(unrecorded)}`,
    running > 0 && `${count(running)} still running`,
  ].filter((reason) => reason !== false);
  return {
    pico,
    calls,
    estimatedCalls,
    missingCalls: unpriced.length + unrecorded.length + running,
    missing,
  };
}

function names(models: readonly string[]): string {
  return [...new Set(models)].join(', ');
}

function count(calls: number): string {
  return calls === 1 ? '1 call' : `${calls} calls`;
}
