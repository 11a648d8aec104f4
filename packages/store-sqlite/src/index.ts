export { SqliteLedger } from './sqlite-ledger.ts';
export type { SqliteDurability, SqliteLedgerOptions } from './sqlite-ledger-options.ts';
