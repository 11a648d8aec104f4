import type { Attempt, PicoUsd } from '@synapsekit/core';
import type { Charge } from './charge.ts';
import { clip, textLimits } from './clip.ts';
import { type BoundaryCharge, mergeCharges } from './merge-charges.ts';

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

/** More models are not named. */
const maxNames = 10;

/** An attempt of these outcomes may be on the provider's bill. */
const billable: ReadonlySet<Attempt['outcome']> = new Set(['served', 'partial', 'unanswered']);

/**
 * Adds up charges, and finds the attempts that nobody charged; `undefined` stands for one that is still running.
 *
 * @param seen what the HTTP boundary saw.
 */
export function sumCharges(
  recorded: ReadonlyMap<string, Charge>,
  attempts: ReadonlyMap<string, Attempt | undefined>,
  seen: ReadonlyMap<string, BoundaryCharge>,
): MeasuredCost {
  if (recorded.size === 0 && attempts.size === 0 && seen.size === 0) return noCost;
  let pico = 0n;
  let calls = 0;
  let estimatedCalls = 0;
  const unpriced: string[] = [];
  const uncounted: string[] = [];
  const charged = new Set<string>(recorded.keys());
  for (const charge of mergeCharges(recorded, seen.values(), attempts)) {
    charged.add(charge.attemptId);
    if (charge.pico === undefined) {
      (charge.unknown === 'no-usage' ? uncounted : unpriced).push(charge.model);
      continue;
    }
    pico += charge.pico;
    calls++;
    if (charge.estimated) estimatedCalls++;
  }
  // A call whose record was found by its tokens is charged under the record's id.
  for (const { attemptId } of seen.values()) charged.add(attemptId);
  const unrecorded: string[] = [];
  let running = 0;
  for (const [attemptId, attempt] of attempts) {
    if (charged.has(attemptId)) continue;
    if (attempt === undefined) running++;
    else if (billable.has(attempt.outcome)) unrecorded.push(attempt.id);
  }
  const missing = [
    unpriced.length > 0 && `no price for ${names(unpriced)}`,
    uncounted.length > 0 && `${names(uncounted)} told no usage of ${count(uncounted.length)}`,
    unrecorded.length > 0 && `no tracker recorded ${count(unrecorded.length)} to ${names(unrecorded)}`,
    running > 0 && `${count(running)} still running`,
  ].filter((reason) => reason !== false);
  return {
    pico,
    calls,
    estimatedCalls,
    missingCalls: unpriced.length + uncounted.length + unrecorded.length + running,
    missing,
  };
}

const noCost: MeasuredCost = Object.freeze({
  pico: 0n,
  calls: 0,
  estimatedCalls: 0,
  missingCalls: 0,
  missing: Object.freeze([]),
});

function names(models: readonly string[]): string {
  const known = [...new Set(models)];
  const shown = known.slice(0, maxNames).map((model) => clip(model, textLimits.label));
  return known.length > maxNames
    ? `${shown.join(', ')} and ${known.length - maxNames} more`
    : shown.join(', ');
}

function count(calls: number): string {
  return calls === 1 ? '1 call' : `${calls} calls`;
}
