import { BudgetGuard } from '@synapsekit/budget';
import { isSynapseError } from '@synapsekit/core';
import { RedisLedger } from '@synapsekit/store-redis';
import { SqliteLedger } from '@synapsekit/store-sqlite';

/** As a process of its own would: what an earlier one spent is in the file. */
async function spend(amountUsd: number): Promise<string> {
  const ledger = await SqliteLedger.open({ path: `${process.pid}.db` });
  const guard = new BudgetGuard({ daily: 5 }, { ledger });
  const hold = await guard.reserve(amountUsd);
  await hold.settle(amountUsd);
  const { limits } = await guard.status();
  await guard.dispose();
  await ledger.dispose();
  return `${limits[0]?.committedUsd} of ${limits[0]?.limitUsd}`;
}
console.log(await spend(1), 'then', await spend(2));

try {
  new RedisLedger({} as never);
} catch (error) {
  if (!isSynapseError(error)) throw error;
  console.log(error.code, error.message);
}
