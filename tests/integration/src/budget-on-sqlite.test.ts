import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BudgetGuard, enforceBudget } from '@synapsekit/budget';
import { SqliteLedger } from '@synapsekit/store-sqlite';
import { ManualClock } from '@synapsekit/testing';
import { describeBudgetGuard } from '@synapsekit/testing/contracts';

describeBudgetGuard(
  'BudgetGuard on SqliteLedger',
  {
    // The guard's clock is moved by the checks, and far faster than two ledgers can take turns at a file.
    createGuard: (limits, setup) => new BudgetGuard(limits, { ledgerTimeoutMs: 3_600_000, ...setup }),
    enforceBudget,
  },
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'ledger-'));
    const clock = new ManualClock();
    return {
      open: () => SqliteLedger.open({ path: join(folder, 'budget.db'), durability: 'normal', clock }),
      advance: (ms) => clock.advance(ms),
      nowMs: () => clock.now(),
      stepWall: (ms) => clock.setWall(clock.now() + ms),
      dispose: () => rmSync(folder, { recursive: true }),
    };
  },
);
