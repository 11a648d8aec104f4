import { type OpenedLedger, openLedger } from '@synapsekit/cli';
import { UsageError } from './usage-error.ts';

/** The store that budgets are counted in; `undefined` for the memory of this process. @throws UsageError. */
export async function openStore(name: string | undefined): Promise<OpenedLedger | undefined> {
  if (name === undefined || name === 'memory') return undefined;
  try {
    return await openLedger(name, { cwd: process.cwd() });
  } catch (error) {
    if (error instanceof Error && error.name === 'UsageError') throw new UsageError(error.message);
    throw error;
  }
}
