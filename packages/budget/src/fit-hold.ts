import type { PicoUsd } from '@synapsekit/core';
import type { Admission, BudgetEngine } from './budget-engine.ts';
import type { CallPlan } from './call-plan.ts';
import type { Answer } from './deadline.ts';
import type { HoldAccount } from './hold-account.ts';
import { refusalError } from './refusal.ts';

/** A hold, or a claim on one, that covers a planned call. */
export interface FittedHold {
  readonly account: HoldAccount;
  readonly plan: CallPlan;
  readonly pico: PicoUsd;
  /** What to send as `maxTokens`; `undefined`: leave the call as it is. */
  readonly maxTokens: number | undefined;
}

/** Others may take what was left between two looks at it; then it is looked at again, but not for ever. */
const maxTries = 12;

/**
 * Takes what a call needs at worst. Where that does not fit: counts the prompt exactly, if that can be done; then sets a
 * shorter `maxTokens`, where the plan allows it.
 *
 * @throws BudgetExceededError with what the call needs at least.
 */
export async function fitHold(
  engine: BudgetEngine,
  firstPlan: CallPlan,
  take: (pico: PicoUsd) => Answer<Admission>,
  countExactly: () => Promise<number | undefined>,
  signal: AbortSignal | undefined,
): Promise<FittedHold> {
  let plan = firstPlan;
  let { maxTokens } = plan;
  let counted = false;
  for (let tries = 0; ; tries++) {
    signal?.throwIfAborted();
    const pico = plan.cost(maxTokens);
    const answer = await take(pico);
    if (answer.admitted) return { account: answer.account, plan, pico, maxTokens };
    if (!counted && plan.couldFit(answer.leftPico)) {
      counted = true;
      const inputTokens = await countExactly();
      if (inputTokens !== undefined && inputTokens < plan.inputTokens) {
        plan = plan.withInput(inputTokens);
        continue;
      }
    }
    const shorter = tries < maxTries ? plan.fitting(answer.leftPico, maxTokens) : undefined;
    if (shorter === undefined) {
      const facts = { ...answer.facts, neededPico: plan.leastCost };
      engine.noteRefusal(facts);
      throw refusalError(facts);
    }
    maxTokens = shorter;
  }
}
