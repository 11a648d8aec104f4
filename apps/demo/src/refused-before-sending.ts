import { BudgetGuard, enforceBudget, refusalToHttp } from '@synapsekit/budget';
import { formatUsd, isSynapseError, type LLM, wrap } from '@synapsekit/core';
import { CostTracker } from '@synapsekit/cost';
import type { Stage } from './stage.ts';

/** A refusal. */
export interface RefusalFacts {
  readonly message: string;
  readonly httpStatus: number | undefined;
  readonly requestsSent: number;
}

/** One call that may cost more than one call is allowed to. `sent` counts the requests that left. */
export async function refusedBeforeSending(
  { terminal, claims, signal }: Stage,
  model: LLM,
  perRequest: number,
  sent: () => number,
): Promise<RefusalFacts> {
  const { prices } = new CostTracker();
  const guard = new BudgetGuard({ perRequest }, { prices, name: 'demo' });
  const llm = wrap(model, enforceBudget(guard));
  terminal.prose(
    `${model.id}, ${model.defaults?.maxTokens} tokens of answer at most, ${formatUsd(perRequest)} per request:`,
  );
  const sentBefore = sent();
  let refusal: unknown;
  try {
    await llm.generate('Write a B-tree implementation.', { signal });
  } catch (error) {
    if (!isSynapseError(error, 'budget-exceeded')) throw error;
    refusal = error;
    terminal.prose(error.message, 'yellow');
  }
  const httpStatus = refusalToHttp(refusal)?.status;
  const requestsSent = sent() - sentBefore;
  claims.check(
    'refused before it was sent',
    httpStatus === 402 && requestsSent === 0,
    `${requestsSent} requests at the provider; as an answer over HTTP: ${httpStatus}`,
  );
  return { message: refusal instanceof Error ? refusal.message : '', httpStatus, requestsSent };
}
