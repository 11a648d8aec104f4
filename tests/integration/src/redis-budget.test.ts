import { BudgetGuard, enforceBudget } from '@synapsekit/budget';
import { describeBudgetGuard } from '@synapsekit/testing/contracts';
import { afterAll, beforeAll } from 'vitest';
import { clients, ledgerPlaces, type OpenClient } from '../../../packages/store-redis/test/ledger-places.ts';
import { describeWithRedis, RedisServer } from '../../../packages/store-redis/test/redis-server.ts';

/** The guard's own contract, on a real Redis. */
for (const [name, connect] of Object.entries(clients)) {
  describeWithRedis(`BudgetGuard on Redis, through ${name}`, () => {
    let server: RedisServer;
    let connections: [OpenClient, OpenClient];
    beforeAll(async () => {
      server = await RedisServer.start();
      connections = [await connect(server.url), await connect(server.url)];
    });
    afterAll(async () => {
      for (const connection of connections) await connection.close();
      await server.dispose();
    });
    describeBudgetGuard(
      `BudgetGuard on RedisLedger through ${name}`,
      {
        // The guard's clock is moved by the checks, and far faster than a network answers.
        createGuard: (limits, setup) => new BudgetGuard(limits, { ledgerTimeoutMs: 3_600_000, ...setup }),
        enforceBudget,
      },
      ledgerPlaces(() => connections),
    );
  });
}
