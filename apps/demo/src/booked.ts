import type { BudgetGuard, BudgetLimitStatus } from '@synapsekit/budget';

/** One limit of a guard, once everything spent has reached it. */
export async function limitOf(guard: BudgetGuard, name: string): Promise<BudgetLimitStatus> {
  await guard.flush();
  const { limits } = await guard.status();
  const found = limits.find(({ limit }) => limit === name);
  if (found === undefined) throw new Error(`The guard has no ${name} limit.`);
  return found;
}
