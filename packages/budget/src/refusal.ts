import { BudgetExceededError, type BudgetRefusal, formatUsd, usdDecimal } from '@synapsekit/core';
import type { Limit } from './budget-limit.ts';

/** How long to wait before calls in flight may have settled: nobody knows, so a little. Milliseconds. */
const inFlightRetryMs = 1_000;

/** What refused, in what the limit counts: pico-dollars or tokens. */
export interface RefusalFacts {
  readonly guard: string;
  readonly limit: Limit;
  /** The value of the limit's attribute. */
  readonly value?: string | undefined;
  readonly window?: string | undefined;
  readonly committed: bigint;
  readonly held: bigint;
  /** What is asked for; 0 where it is not known. */
  readonly needed: bigint;
  readonly resetsAtMs?: number | undefined;
  readonly nowMs: number;
  /** The money is spent already: `checkAfter`. */
  readonly spent?: boolean | undefined;
}

/** The error for a refusal, with all that there is to know about it. */
export function refusalError(facts: RefusalFacts): BudgetExceededError {
  const { guard, limit, value, window, resetsAtMs } = facts;
  const fits = fitsWhen(facts);
  const retryAfterMs = retryAfter(facts, fits);
  const refusal: BudgetRefusal = {
    guard,
    limit: limit.name,
    ...(limit.attribute !== undefined && { attribute: limit.attribute, attributeValue: value }),
    ...(window !== undefined && { window }),
    ...amounts(facts),
    ...(resetsAtMs !== undefined && { resetsAtMs }),
    fits,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
  return new BudgetExceededError(`${what(facts)} ${advice(facts, fits)}`, refusal);
}

/** Whether, and for what, it can help to wait. */
function fitsWhen(facts: RefusalFacts): BudgetRefusal['fits'] {
  const { limit, committed, needed, resetsAtMs } = facts;
  if (limit.window === undefined || needed > limit.amount || limit.amount === 0n) return 'never';
  const left = limit.amount - committed;
  const fitsWithoutHolds = needed === 0n ? left > 0n : needed <= left;
  if (fitsWithoutHolds && facts.spent !== true) return 'in-flight';
  return resetsAtMs === undefined && typeof limit.window !== 'object' ? 'never' : 'window';
}

function retryAfter(
  { limit, resetsAtMs, nowMs }: RefusalFacts,
  fits: BudgetRefusal['fits'],
): number | undefined {
  if (fits === 'never') return undefined;
  if (fits === 'in-flight') return inFlightRetryMs;
  if (resetsAtMs !== undefined) return Math.max(1, resetsAtMs - nowMs);
  // What was spent leaves a rolling window bit by bit.
  return typeof limit.window === 'object' ? limit.window.windowSeconds * 20 : undefined;
}

function amounts({
  limit,
  committed,
  held,
  needed,
}: RefusalFacts): Pick<BudgetRefusal, 'limitUsd' | 'committedUsd' | 'heldUsd' | 'neededUsd' | 'tokens'> {
  if (limit.unit === 'tokens') {
    return {
      tokens: Object.freeze({
        limit: Number(limit.amount),
        committed: Number(committed),
        held: Number(held),
        needed: Number(needed),
      }),
    };
  }
  return {
    limitUsd: usdDecimal(limit.amount),
    committedUsd: usdDecimal(committed),
    heldUsd: usdDecimal(held),
    neededUsd: usdDecimal(needed),
  };
}

/** `$0.10`, or `2,000 tokens`. */
function shown({ unit }: Limit, amount: bigint): string {
  return unit === 'usd' ? formatUsd(amount) : `${amount.toLocaleString('en-US')} tokens`;
}

function what(facts: RefusalFacts): string {
  const { guard, limit, value, window, committed, held, needed, spent } = facts;
  const most = shown(limit, limit.amount);
  const whose = limit.attribute === undefined ? '' : ` for ${limit.attribute} "${value}"`;
  const verb = limit.unit === 'usd' ? 'cost' : 'take';
  if (limit.window === undefined) {
    if (spent === true)
      return `Budget "${guard}": the call cost ${shown(limit, needed)}, more than the ${most} that ${limit.name} allows${whose}.`;
    // What is held is for earlier attempts of the same call.
    const whole = shown(limit, held + needed);
    return `Budget "${guard}": the call may ${verb} up to ${whole}, more than the ${most} that ${limit.name} allows${whose}.`;
  }
  const where = `the ${limit.name} limit of ${most}${whose}${window === undefined ? '' : ` (${window})`}`;
  const heldToo = held > 0n ? ` and ${shown(limit, held)} held by calls in flight` : '';
  const state = `with ${shown(limit, committed)} spent${heldToo}`;
  if (spent === true) return `Budget "${guard}": ${where} is exceeded, ${state}.`;
  if (needed === 0n) return `Budget "${guard}": nothing is left of ${where}, ${state}.`;
  const used = committed + held;
  const left = used < limit.amount ? limit.amount - used : 0n;
  return `Budget "${guard}": the call may ${verb} up to ${shown(limit, needed)}, but ${where} has ${shown(limit, left)} left, ${state}.`;
}

function advice({ limit, resetsAtMs, spent }: RefusalFacts, fits: BudgetRefusal['fits']): string {
  if (fits === 'in-flight') return 'It may fit once calls in flight have settled.';
  if (fits === 'window' && resetsAtMs !== undefined) {
    return `The limit starts afresh at ${new Date(resetsAtMs).toISOString()}.`;
  }
  if (fits === 'window') return 'What was spent leaves the window bit by bit; try again later.';
  if (spent === true || limit.window === 'total') return 'Raise the limit to go on.';
  return limit.unit === 'tokens'
    ? 'Lower maxTokens, shorten the prompt, or raise the limit.'
    : 'Lower maxTokens, shorten the prompt, take a cheaper model, or raise the limit.';
}
