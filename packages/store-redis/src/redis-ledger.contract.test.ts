import { describeLedgerStore } from '@synapsekit/testing/contracts';
import { afterAll, beforeAll, describe } from 'vitest';
import { clients, ledgerPlaces, type OpenClient } from '../test/ledger-places.ts';
import { describeWithRedis, RedisServer } from '../test/redis-server.ts';

describeWithRedis('RedisLedger', () => {
  for (const [name, connect] of Object.entries(clients)) {
    describe(`through ${name}`, () => {
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
      describeLedgerStore(
        `RedisLedger through ${name}`,
        ledgerPlaces(() => connections),
      );
    });
  }
});
