/**
 * What a pair costs (reserve over four limits; post and close) against `Map` set + delete of a fresh id among as many
 * keys, in the same run: `node packages/budget/scripts/bench-memory-ledger.ts [keys,…]`.
 */
import { MemoryLedger } from '../src/memory-ledger.ts';

const batch = 20_000;
const rounds = 31;
const window = { id: 'total' };
const limit = 10n ** 30n;

function bench(keyCount: number): void {
  const ledger = new MemoryLedger();
  const keys = Array.from({ length: keyCount }, (_, index) => `guard/limit-${index}`);
  const map = new Map<string, object>(keys.map((key) => [key, {}]));
  for (const [index, key] of keys.entries()) {
    ledger.post({ attemptId: `seed-${index}`, lines: [{ key, window, amount: 0n }], kind: 'actual' });
  }
  const requests = Array.from({ length: Math.min(keyCount, 100_000) }, () => {
    const chosen = new Set<string>();
    while (chosen.size < 4) chosen.add(keys[Math.floor(Math.random() * keyCount)] ?? '');
    return [...chosen];
  });
  const value = {};
  let id = 0;
  const trivial = (): void => {
    const key = `id-${id++}`;
    map.set(key, value);
    map.delete(key);
  };
  const pair = (): void => {
    const chosen = requests[id % requests.length] ?? [];
    const holdId = `hold-${id++}`;
    ledger.reserve({
      holdId,
      lines: chosen.map((key) => ({ key, window, limit, amount: 100_000_000_000n })),
      leaseMs: 60_000,
      onExpiry: 'book',
    });
    ledger.post({
      attemptId: `attempt-${id}`,
      holdId,
      lines: chosen.map((key) => ({ key, window, amount: 80_000_000_000n })),
      kind: 'actual',
      close: true,
    });
  };
  const costs = { trivial: [] as number[], pair: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    costs.trivial.push(nsEach(trivial));
    costs.pair.push(nsEach(pair));
  }
  const [t, p] = [median(costs.trivial), median(costs.pair)];
  process.stdout.write(
    `${String(keyCount).padStart(8)} keys  set+delete ${t.toFixed(0)} ns  pair ${p.toFixed(0)} ns  ratio ${(p / t).toFixed(1)}\n`,
  );
}

function nsEach(run: () => void): number {
  const start = performance.now();
  for (let index = 0; index < batch; index++) run();
  return ((performance.now() - start) / batch) * 1e6;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

for (const keyCount of (process.argv[2] ?? '10,10000,1000000').split(',')) bench(Number(keyCount));
