import { CircuitBreaker, type CircuitBreakerOptions } from '@synapsekit/resilience';
import { ManualClock } from '@synapsekit/testing';

export interface BreakerOnClock {
  readonly breaker: CircuitBreaker;
  readonly clock: ManualClock;
}

/** A breaker on a manual clock: 3 failures within 10 s, 60 s until a probe. */
export function breakerOnClock(options: Partial<CircuitBreakerOptions> = {}): BreakerOnClock {
  const clock = new ManualClock();
  const rule = options.rule === undefined ? { failureThreshold: 3, windowSeconds: 10 } : {};
  const breaker = new CircuitBreaker({ name: 'test', ...rule, recoveryTimeout: 60, clock, ...options });
  return { clock, breaker };
}

export const down: Error = new Error('down');

/** So many failed calls, one after the other. */
export async function fail(breaker: CircuitBreaker, times = 1, error: unknown = down): Promise<void> {
  for (let call = 0; call < times; call++) {
    await breaker.execute(() => Promise.reject(error)).catch(() => {});
  }
}

/** What became of a promise. */
export async function outcome<T>(promise: Promise<T>): Promise<{ value: T } | { error: unknown }> {
  return promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}

/** A call that ends when the test says so. */
export interface OpenCall {
  resolve(value: string): void;
  reject(error: unknown): void;
  readonly result: Promise<{ value: string } | { error: unknown }>;
  readonly called: boolean;
}

export function openCall(breaker: CircuitBreaker, options?: { signal?: AbortSignal }): OpenCall {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let calls = 0;
  const result = outcome(
    breaker.execute(() => {
      calls++;
      return promise;
    }, options),
  );
  return {
    resolve,
    reject,
    result,
    get called(): boolean {
      return calls > 0;
    },
  };
}
