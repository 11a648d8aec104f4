import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@synapsekit/testing';
import { describeLedgerStore } from '@synapsekit/testing/contracts';
import { SqliteLedger } from './sqlite-ledger.ts';
import type { SqliteDurability } from './sqlite-ledger-options.ts';

const on = (durability: SqliteDurability) => () => {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-'));
  const clock = new ManualClock();
  return {
    open: () => SqliteLedger.open({ path: join(folder, 'budget.db'), durability, clock }),
    advance: (ms: number) => clock.advance(ms),
    nowMs: () => clock.now(),
    stepWall: (ms: number) => clock.setWall(clock.now() + ms),
    dispose: () => rmSync(folder, { recursive: true }),
  };
};

describeLedgerStore('SqliteLedger, two on one file', on('normal'));
describeLedgerStore('SqliteLedger that survives a loss of power, two on one file', on('full'));
