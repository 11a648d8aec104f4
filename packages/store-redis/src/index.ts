export { LeasedLedger } from './leased-ledger.ts';
export type { LeasedLedgerOptions } from './leased-ledger-options.ts';
export type { IoRedisClient, NodeRedisClient, RedisClient } from './redis-client.ts';
export { RedisLedger } from './redis-ledger.ts';
export type { RedisLedgerOptions } from './redis-ledger-options.ts';
