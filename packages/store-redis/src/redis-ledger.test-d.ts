import type { InspectableLedger } from '@synapsekit/core';
import type { Redis } from 'ioredis';
import type { createClient } from 'redis';
import { assertType, expectTypeOf, test } from 'vitest';
import { LeasedLedger, type LeasedLedgerOptions, RedisLedger, type RedisLedgerOptions } from './index.ts';

test('the clients of both packages are clients', () => {
  type Client = ConstructorParameters<typeof RedisLedger>[0];
  expectTypeOf<ReturnType<typeof createClient>>().toExtend<Client>();
  expectTypeOf<Redis>().toExtend<Client>();
  // @ts-expect-error An address is no client.
  assertType<Client>('redis://localhost');
});

test('both are ledgers; options may be undefined, and none may be misspelt', () => {
  expectTypeOf(RedisLedger).instance.toMatchTypeOf<InspectableLedger>();
  expectTypeOf(LeasedLedger).instance.toMatchTypeOf<InspectableLedger>();
  assertType<RedisLedgerOptions>({ hashTag: undefined, timeoutMs: 5 });
  // @ts-expect-error It is called timeoutMs.
  assertType<RedisLedgerOptions>({ timeout: 5 });
  // @ts-expect-error It is called callsPerSlice.
  assertType<LeasedLedgerOptions>({ slice: 5 });
});
