import { CircuitBreaker, withRetry, withTimeout } from '@synapsekit/resilience';
import {
  CircuitState,
  ConsecutiveBreaker,
  ConstantBackoff,
  circuitBreaker,
  handleAll,
  retry,
  SamplingBreaker,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import Opossum from 'opossum';
import type { Bench } from './harness/bench.ts';
import { bytesKeptBy } from './harness/heap.ts';

/** What everybody guards here: an async function that does nothing. */
const call = async (): Promise<number> => 1;

/** The least anybody would write by hand to see how a call ends. */
class Wrapper {
  succeeded = 0;
  failed = 0;

  async execute<T>(fn: () => Promise<T>): Promise<T> {
    try {
      const value = await fn();
      this.succeeded++;
      return value;
    } catch (error) {
      this.failed++;
      throw error;
    }
  }
}

const ours = (): CircuitBreaker => new CircuitBreaker({ name: 'bench' });
const theirs = () => circuitBreaker(handleAll, { halfOpenAfter: 60_000, breaker: new ConsecutiveBreaker(5) });
/** With all that costs time switched off: no timeout, no percentiles, no snapshots. */
const lean = { timeout: false, rollingPercentilesEnabled: false, enableSnapshots: false } as const;

export const bench: Bench = {
  title: 'Circuit breaker',
  async run({ compare, gauge, pace }) {
    const opossums: Opossum[] = [];
    const opossum = (options: Opossum.Options): Opossum<[], number> => {
      const made = new Opossum(call, options);
      opossums.push(made);
      return made;
    };
    try {
      return [
        await success(),
        await refusal(),
        await check(),
        await stack(),
        await heap(pace.quick ? 100_000 : 1_000_000),
      ];
    } finally {
      for (const made of opossums) made.shutdown();
    }

    function success() {
      const wrapper = new Wrapper();
      const breaker = ours();
      const consecutive = theirs();
      const sampling = circuitBreaker(handleAll, {
        halfOpenAfter: 60_000,
        breaker: new SamplingBreaker({ threshold: 0.5, duration: 60_000 }),
      });
      const small = opossum(lean);
      const usual = opossum({});
      return compare({
        title: 'A call that succeeds',
        mode: 'async',
        contenders: [
          { name: 'bare await', op: call },
          { name: 'async try/await wrapper', op: () => wrapper.execute(call) },
          { name: 'CircuitBreaker.execute', op: () => breaker.execute(call) },
          { name: 'cockatiel, consecutive', op: () => consecutive.execute(call) },
          { name: 'cockatiel, sampling', op: () => sampling.execute(call) },
          { name: 'opossum, all switched off', op: () => small.fire() },
          { name: 'opossum, defaults', op: () => usual.fire() },
        ],
        targets: [
          {
            text: 'success, against a plain wrapper',
            ratio: ['CircuitBreaker.execute', 'async try/await wrapper'],
            limit: 1.15,
          },
          {
            text: 'success, against cockatiel',
            ratio: ['CircuitBreaker.execute', 'cockatiel, consecutive'],
            comparison: 'below',
            limit: 1,
          },
        ],
      });
    }

    async function refusal() {
      const breaker = ours();
      breaker.open(1e9);
      const cockatiel = circuitBreaker(handleAll, {
        halfOpenAfter: 1e9,
        breaker: new ConsecutiveBreaker(1),
      });
      await cockatiel.execute(() => Promise.reject(new Error('down'))).catch(() => {});
      if (cockatiel.state !== CircuitState.Open) throw new Error('cockatiel is not open');
      const small = opossum({ ...lean, resetTimeout: 1e9 });
      small.open();
      const refused = async (ask: () => Promise<unknown>): Promise<boolean> => {
        try {
          await ask();
        } catch {
          return true;
        }
        throw new Error('It was let through.');
      };
      const asks = [() => breaker.execute(call), () => cockatiel.execute(call), () => small.fire()] as const;
      for (const ask of asks) await refused(ask);
      const [askOurs, askCockatiel, askOpossum] = asks;
      const preallocated = new Error('down');
      return compare({
        title: 'A call that is refused, seen by a caller with try/await',
        mode: 'async',
        contenders: [
          {
            name: 'rejection with one and the same error',
            op: () => refused(() => Promise.reject(preallocated)),
          },
          { name: 'CircuitBreaker.execute', op: () => refused(askOurs) },
          { name: 'cockatiel', op: () => refused(askCockatiel) },
          { name: 'opossum, all switched off', op: () => refused(askOpossum) },
        ],
        targets: [
          {
            text: 'refusal, against cockatiel',
            ratio: ['CircuitBreaker.execute', 'cockatiel'],
            limit: 0.5,
          },
        ],
      });
    }

    function check() {
      const open = ours();
      open.open(1e9);
      const closed = ours();
      let openUntilMs = performance.now() + 1e9;
      return compare({
        title: 'Asking without a call',
        note: 'The bare check is what a breaker cannot do without while it is open: a clock read and a comparison.',
        mode: 'sync',
        contenders: [
          {
            name: 'bare check',
            op: (index) => {
              openUntilMs += index & 1;
              return performance.now() >= openUntilMs;
            },
          },
          { name: 'tryAcquire, OPEN', op: () => open.tryAcquire() },
          { name: 'tryAcquire and succeed, CLOSED', op: () => closed.tryAcquire()?.succeed() },
        ],
        targets: [
          { text: 'tryAcquire, against a bare check', ratio: ['tryAcquire, OPEN', 'bare check'], limit: 1.5 },
        ],
      });
    }

    function stack() {
      const breaker = ours();
      const cockatiel = (strategy: TimeoutStrategy) =>
        wrap(
          retry(handleAll, { maxAttempts: 2, backoff: new ConstantBackoff(500) }),
          theirs(),
          timeout(10_000, strategy),
        );
      const aggressive = cockatiel(TimeoutStrategy.Aggressive);
      const cooperative = cockatiel(TimeoutStrategy.Cooperative);
      return compare({
        title: 'Retry, breaker and timeout around one call',
        note: 'Ours leaves a call behind that does not heed its signal, as the aggressive strategy of cockatiel does.',
        mode: 'async',
        contenders: [
          { name: 'bare await', op: call },
          {
            name: 'withRetry, execute, withTimeout',
            op: () => withRetry(() => breaker.execute(() => withTimeout(call, 10_000)), { maxAttempts: 3 }),
          },
          { name: 'cockatiel, aggressive', op: () => aggressive.execute(call) },
          { name: 'cockatiel, cooperative', op: () => cooperative.execute(call) },
        ],
        targets: [
          {
            text: 'retry, breaker and timeout, against cockatiel',
            ratio: ['withRetry, execute, withTimeout', 'cockatiel, aggressive'],
            limit: 0.25,
          },
        ],
      });
    }

    function heap(calls: number) {
      const repeat = (op: () => Promise<unknown>) => async (): Promise<number> => {
        for (let i = 0; i < 1_000; i++) await op(); // what is made once is no growth
        const kept = await bytesKeptBy(async () => {
          for (let i = 0; i < calls; i++) await op();
        });
        return kept / calls;
      };
      const breaker = ours();
      const cockatiel = theirs();
      const small = opossum(lean);
      return gauge({
        title: `Bytes kept per call after ${calls.toLocaleString('en-US')} calls`,
        unit: 'B',
        rounds: 3,
        gauged: [
          { name: 'bare await', read: repeat(call) },
          { name: 'CircuitBreaker.execute', read: repeat(() => breaker.execute(call)) },
          { name: 'cockatiel', read: repeat(() => cockatiel.execute(call)) },
          { name: 'opossum, all switched off', read: repeat(() => small.fire()) },
        ],
        targets: [
          {
            text: 'nothing kept: bytes per call',
            value: 'CircuitBreaker.execute',
            limit: pace.quick ? 1 : 0.2,
            binding: true,
          },
        ],
      });
    }
  },
};
