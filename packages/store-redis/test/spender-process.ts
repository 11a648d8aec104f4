/** One of several processes that spend from one budget: `node spender-process.ts <url> <name> <calls>`. */
import { createClient } from 'redis';
import { RedisLedger } from '../src/redis-ledger.ts';

const [url = '', name = '', calls = '0'] = process.argv.slice(2);
const client = createClient({ url });
await client.connect();
const ledger = new RedisLedger(client, { timeoutMs: 20_000 }); // eight of these start at once, on whatever machine
const line = { key: 'daily', window: { id: '2026-11-23@UTC', endsAtMs: 4_102_444_800_000 } };
const results = await Promise.all(
  Array.from({ length: Number(calls) }, async (_, i) => {
    const holdId = `${name}-${i}`;
    const { admitted } = await ledger.reserve({
      holdId,
      lines: [{ ...line, limit: 5_000_000_000_000n, amount: 100_000_000_000n }],
      leaseMs: 60_000,
      onExpiry: 'book',
    });
    if (!admitted) return 0;
    await ledger.post({
      attemptId: holdId,
      holdId,
      lines: [{ ...line, amount: 100_000_000_000n }],
      kind: 'actual',
      close: true,
    });
    return 1;
  }),
);
process.stdout.write(String(results.reduce<number>((sum, one) => sum + one, 0)));
await client.close();
