import type { Bench } from './harness/bench.ts';

/** Every bench by its name, in the order in which they run. Each runs in a process of its own. */
export const benches: ReadonlyMap<string, () => Promise<{ readonly bench: Bench }>> = new Map([
  ['breaker', () => import('./breaker.ts')],
  ['stream-guard', () => import('./stream-guard.ts')],
  ['tracker', () => import('./tracker.ts')],
  ['import', () => import('./import.ts')],
  ['stack', () => import('./stack.ts')],
  ['adapters', () => import('./adapters.ts')],
  ['ledger-memory', () => import('./ledger-memory.ts')],
  ['ledger-sqlite', () => import('./ledger-sqlite.ts')],
  ['ledger-redis', () => import('./ledger-redis.ts')],
  ['eval-runner', () => import('./eval-runner.ts')],
]);
