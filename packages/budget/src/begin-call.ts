import { type CallOptions, isSynapseError, type LLM, type Prompt } from '@synapsekit/core';
import type { BudgetEngine } from './budget-engine.ts';
import { CallPlan, exactInputTokens, leavesOf, type PlannedModel } from './call-plan.ts';
import { type Answer, isPromise } from './deadline.ts';
import { admit, type Effort, fitHold } from './fit-hold.ts';
import { GuardedCall } from './guarded-call.ts';
import type { HoldAccount } from './hold-account.ts';
import type { Admission } from './hold-admission.ts';
import type { Selection } from './limit-lines.ts';

/** A call to one model, planned: what limits it, and what it may cost at most. */
interface PlannedCall {
  readonly llm: LLM;
  readonly limits: Selection;
  readonly models: readonly PlannedModel[];
  readonly plan: CallPlan;
}

/** What a call to a model may cost at most. @throws ConfigError, UnknownPriceError. */
export function planCall(engine: BudgetEngine, llm: LLM, prompt: Prompt, options: CallOptions): PlannedCall {
  const leaves = leavesOf(llm);
  const attributes = engine.limits.needsAttributes
    ? engine.limits.attributesOf(options.attributes, sameOf(leaves))
    : undefined;
  const limits = engine.limits.select(attributes);
  const models = leaves.map((leaf) => ({
    llm: leaf,
    price: engine.prices.forLimits(limits, leaf, options.serviceTier),
  }));
  return {
    llm,
    limits,
    models,
    plan: CallPlan.of(models, prompt, options, engine.limits.outputPolicy(limits)),
  };
}

/** Model and provider, where all that may serve a call agree on it. */
function sameOf(leaves: readonly LLM[]): { readonly model?: string; readonly provider?: string } {
  const [first] = leaves;
  if (first === undefined) return {};
  return {
    ...(leaves.every(({ id }) => id === first.id) && { model: first.id }),
    ...(leaves.every(({ provider }) => provider === first.provider) && { provider: first.provider }),
  };
}

/**
 * The hold that the running code works under, if there is one to work under that counts on the same limits. Whoever
 * gets it has to release it.
 */
async function joinHold(
  engine: BudgetEngine,
  limits: Selection,
  signal: AbortSignal | undefined,
): Promise<HoldAccount | undefined> {
  const around = engine.context.getStore();
  if (around === undefined || around.ended || around.settled) return undefined;
  if (!sameKeys(around.limits, limits)) return undefined;
  around.keeper.retain(); // before any wait: its owner may leave during it
  try {
    if (await engine.admission.isLive(around, signal)) return around;
  } catch (error) {
    around.keeper.release();
    // A hold of its own fails open, too.
    if (engine.settings.failOpen && isSynapseError(error, 'ledger') && error.transient) return undefined;
    throw error;
  }
  around.keeper.release();
  return undefined;
}

function sameKeys({ lines }: Selection, { lines: others }: Selection): boolean {
  if (lines === others) return true;
  return lines.length === others.length && lines.every(({ key }, index) => others[index]?.key === key);
}

/**
 * Takes a hold that covers a call, to the model or to one of those that may take its place.
 *
 * @throws BudgetExceededError, UnknownPriceError, ConfigError, LedgerError; `signal.reason` on abort.
 */
export function beginCall(
  engine: BudgetEngine,
  llm: LLM,
  prompt: Prompt,
  options: CallOptions,
  downgradeTo: readonly LLM[],
): Answer<GuardedCall> {
  const first = planCall(engine, llm, prompt, options);
  // Inside another hold, or behind those who wait, there is more to it.
  if (engine.context.getStore() !== undefined || engine.queue.length > 0)
    return beginLater(engine, first, prompt, options, downgradeTo);
  const { plan, limits } = first;
  const spend = plan.cost(plan.maxTokens);
  const answer = engine.admission.reserve(limits, spend, options.signal);
  if (isPromise(answer) || !answer.admitted)
    return beginLater(engine, first, prompt, options, downgradeTo, answer);
  const { account } = answer;
  account.keeper.retain();
  return new GuardedCall(engine, llm, options, { account, plan, spend, maxTokens: plan.maxTokens }, false);
}

/** @param asked what became of the first try to reserve, where there was one. */
async function beginLater(
  engine: BudgetEngine,
  first: PlannedCall,
  prompt: Prompt,
  options: CallOptions,
  downgradeTo: readonly LLM[],
  asked?: Answer<Admission>,
): Promise<GuardedCall> {
  const { signal } = options;
  const { llm } = first;
  let answer = asked;
  const joined = asked === undefined ? await joinHold(engine, first.limits, signal) : undefined;
  const tryOne = async (call: PlannedCall, overrun: boolean): Promise<Effort<GuardedCall>> => {
    const { limits } = call;
    // A model that takes the place of another one may have limits of its own.
    const around = joined !== undefined && sameKeys(joined.limits, limits) ? joined : undefined;
    if (around !== undefined && overrun) around.overrun = true;
    const fit = await fitHold(
      call.plan,
      (spend) => {
        const given = answer;
        answer = undefined;
        if (given !== undefined) return given;
        return around === undefined
          ? engine.admission.reserve(limits, spend, signal, overrun)
          : engine.admission.claim(around, spend, signal);
      },
      () => exactInputTokens(call.models, prompt, options, engine.settings.tokenCounter),
      signal,
    );
    if (!fit.admitted) return fit;
    if (around === undefined) {
      fit.value.account.keeper.retain();
      joined?.keeper.release();
    }
    return {
      admitted: true,
      value: new GuardedCall(engine, call.llm, options, fit.value, around !== undefined),
    };
  };
  let planned: PlannedCall | undefined = first;
  const effort = async (overrun: boolean): Promise<Effort<GuardedCall>> => {
    // Planned anew after a wait, behind others too: another window may have begun.
    const isCurrent = planned !== undefined && engine.limits.isCurrent(planned.limits);
    const call = planned !== undefined && isCurrent ? planned : planCall(engine, llm, prompt, options);
    planned = undefined;
    let result = await tryOne(call, overrun);
    for (const other of overrun ? [] : downgradeTo) {
      if (result.admitted) break;
      result = await tryOne(planCall(engine, other, prompt, options), false);
    }
    return result;
  };
  try {
    const keys = first.limits.lines.map(({ key }) => key);
    return await admit(engine, keys, effort, { mayWait: joined === undefined, signal });
  } catch (error) {
    joined?.keeper.release();
    throw error;
  }
}
