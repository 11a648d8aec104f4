import {
  BudgetExceededError,
  type BudgetRefusal,
  formatUsd,
  type PicoUsd,
  usdDecimal,
} from '@synapsekit/core';

/** How long to wait before calls in flight may have settled: nobody knows, so a little. Milliseconds. */
const inFlightRetryMs = 1_000;

/** What refused, in pico-dollars. */
export interface RefusalFacts {
  readonly guard: string;
  readonly limit: string;
  readonly window?: string | undefined;
  readonly limitPico: PicoUsd;
  readonly committedPico: PicoUsd;
  readonly heldPico: PicoUsd;
  /** What is asked for; 0 where it is not known. */
  readonly neededPico: PicoUsd;
  readonly resetsAtMs?: number | undefined;
  readonly nowMs: number;
  /** The money is spent already: `checkAfter`. */
  readonly spent?: boolean | undefined;
}

/** The error for a refusal, with all that there is to know about it. */
export function refusalError(facts: RefusalFacts): BudgetExceededError {
  const { guard, limit, window, limitPico, committedPico, heldPico, neededPico, resetsAtMs, nowMs } = facts;
  const fits = fitsWhen(facts);
  const retryAfterMs =
    fits === 'in-flight'
      ? inFlightRetryMs
      : fits === 'window' && resetsAtMs !== undefined
        ? Math.max(1, resetsAtMs - nowMs)
        : undefined;
  const refusal: BudgetRefusal = {
    guard,
    limit,
    ...(window !== undefined && { window }),
    limitUsd: usdDecimal(limitPico),
    committedUsd: usdDecimal(committedPico),
    heldUsd: usdDecimal(heldPico),
    neededUsd: usdDecimal(neededPico),
    ...(resetsAtMs !== undefined && { resetsAtMs }),
    fits,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
  return new BudgetExceededError(`${what(facts)} ${advice(facts, fits)}`, refusal);
}

function fitsWhen(facts: RefusalFacts): BudgetRefusal['fits'] {
  const { limit, limitPico, committedPico, neededPico, resetsAtMs } = facts;
  if (limit === 'perRequest' || neededPico > limitPico || limitPico === 0n) return 'never';
  const left = limitPico - committedPico;
  const fitsWithoutHolds = neededPico === 0n ? left > 0n : neededPico <= left;
  if (fitsWithoutHolds && facts.spent !== true) return 'in-flight';
  return resetsAtMs === undefined ? 'never' : 'window';
}

function what({
  guard,
  limit,
  window,
  limitPico,
  committedPico,
  heldPico,
  neededPico,
  spent,
}: RefusalFacts): string {
  const needed = formatUsd(neededPico);
  const most = formatUsd(limitPico);
  if (limit === 'perRequest') {
    if (spent === true)
      return `Budget "${guard}": the call cost ${needed}, more than the ${most} that perRequest allows.`;
    // What is held is for earlier attempts of the same call.
    const whole = formatUsd(heldPico + neededPico);
    return `Budget "${guard}": the call may cost up to ${whole}, more than the ${most} that perRequest allows.`;
  }
  const where = `the ${limit} limit of ${most}${window === undefined ? '' : ` (${window})`}`;
  const held = heldPico > 0n ? ` and ${formatUsd(heldPico)} held by calls in flight` : '';
  const state = `with ${formatUsd(committedPico)} spent${held}`;
  if (spent === true) return `Budget "${guard}": ${where} is exceeded, ${state}.`;
  if (neededPico === 0n) return `Budget "${guard}": nothing is left of ${where}, ${state}.`;
  const used = committedPico + heldPico;
  const left = used < limitPico ? limitPico - used : 0n;
  return `Budget "${guard}": the call may cost up to ${needed}, but ${where} has ${formatUsd(left)} left, ${state}.`;
}

function advice({ limit, resetsAtMs, spent }: RefusalFacts, fits: BudgetRefusal['fits']): string {
  if (fits === 'in-flight') return 'It may fit once calls in flight have settled.';
  if (fits === 'window' && resetsAtMs !== undefined) {
    return `The limit starts afresh at ${new Date(resetsAtMs).toISOString()}.`;
  }
  if (spent === true || limit === 'total') return 'Raise the limit to go on.';
  return 'Lower maxTokens, shorten the prompt, take a cheaper model, or raise the limit.';
}
