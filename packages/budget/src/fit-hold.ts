import { isSynapseError, raceAbort } from '@synapsekit/core';
import type { BudgetEngine } from './budget-engine.ts';
import type { CallPlan } from './call-plan.ts';
import type { Answer } from './deadline.ts';
import type { HoldAccount } from './hold-account.ts';
import type { Admission, Refused } from './hold-admission.ts';
import { type RefusalFacts, refusalError } from './refusal.ts';
import { inUnit, type Spend } from './spend.ts';
import type { Entry } from './wait-queue.ts';

/** A hold, or a claim on one, that covers a planned call. */
export interface FittedHold {
  readonly account: HoldAccount;
  readonly plan: CallPlan;
  readonly spend: Spend;
  /** What to send as `maxTokens`; `undefined`: leave the call as it is. */
  readonly maxTokens: number | undefined;
}

/** What became of one effort to get in. */
export type Effort<T> =
  | { readonly admitted: true; readonly value: T }
  | { readonly admitted: false; readonly facts: RefusalFacts };

/** Others may take what was left between two looks at it; then it is looked at again, but not for ever. */
const maxTries = 12;

/**
 * Takes what a call needs at worst. Where that does not fit: counts the prompt exactly, if that can be done; then sets a
 * shorter `maxTokens`, where the plan allows it. A refusal tells what the call needs at least.
 */
export async function fitHold(
  firstPlan: CallPlan,
  take: (spend: Spend) => Answer<Admission>,
  countExactly: () => Promise<number | undefined>,
  signal: AbortSignal | undefined,
): Promise<Effort<FittedHold>> {
  let plan = firstPlan;
  let { maxTokens } = plan;
  let counted = false;
  for (let tries = 0; ; tries++) {
    signal?.throwIfAborted();
    const spend = plan.cost(maxTokens);
    const answer = await take(spend);
    if (answer.admitted) {
      return { admitted: true, value: { account: answer.account, plan, spend, maxTokens } };
    }
    if (!counted && plan.couldFit(answer.left)) {
      counted = true;
      const inputTokens = await raceAbort(countExactly(), signal);
      if (inputTokens !== undefined && inputTokens < plan.inputTokens) {
        plan = plan.withInput(inputTokens);
        continue;
      }
    }
    const shorter = tries < maxTries ? plan.fitting(answer.left, maxTokens) : undefined;
    if (shorter === undefined) return { admitted: false, facts: needing(answer, plan.leastCost) };
    maxTokens = shorter;
  }
}

function needing({ facts }: Refused, least: Spend): RefusalFacts {
  return { ...facts, needed: inUnit(least, facts.limit.unit) };
}

/**
 * Gets a call in, by whatever `onExceeded` allows: at once, after a wait, or past the limit.
 *
 * @param keys the limits that it needs room under.
 * @param effort one try to hold what it needs; with `overrun`, whether it fits or not.
 * @throws BudgetExceededError when it is refused.
 */
export async function admit<T>(
  engine: BudgetEngine,
  keys: readonly string[],
  effort: (overrun: boolean) => Promise<Effort<T>>,
  { mayWait, signal }: { readonly mayWait: boolean; readonly signal: AbortSignal | undefined },
): Promise<T> {
  const { onExceeded } = engine.settings;
  let facts: RefusalFacts | undefined;
  const tryEntry = async (): Promise<Entry<T>> => {
    const result = await effort(false);
    if (result.admitted) return result;
    facts = result.facts;
    return { admitted: false, refusal: refusalError(facts) };
  };
  try {
    if (mayWait && onExceeded.has('queue')) return await engine.queue.enter(keys, tryEntry, signal);
    const entry = await tryEntry();
    if (entry.admitted) return entry.value;
    throw entry.refusal;
  } catch (error) {
    if (facts === undefined || !isSynapseError(error, 'budget-exceeded')) throw error;
    if (!onExceeded.has('warn')) {
      engine.refusals.note(facts);
      throw error;
    }
  }
  const passed = await effort(true);
  if (!passed.admitted) throw refusalError(passed.facts);
  engine.announcer.overrun(facts);
  return passed.value;
}
