import { ManualClock } from '@synapsekit/testing';
import { describeBudgetGuard } from '@synapsekit/testing/contracts';
import { BudgetGuard } from './budget-guard.ts';
import { enforceBudget } from './enforce-budget.ts';
import { MemoryLedger } from './ledger/memory-ledger.ts';

describeBudgetGuard(
  'BudgetGuard on MemoryLedger',
  { createGuard: (limits, setup) => new BudgetGuard(limits, setup), enforceBudget },
  () => {
    const clock = new ManualClock();
    const ledger = new MemoryLedger({ clock });
    return { open: () => ledger, advance: (ms) => clock.advance(ms) };
  },
);
