export { AllProvidersFailedError, CircuitBreakerOpen } from '@synapsekit/core';
export { breakOn } from './break-on.ts';
export type {
  BreakerEvents,
  BreakerFatal,
  BreakerFault,
  BreakerRefusal,
  BreakerTransition,
  CircuitState,
  TransitionReason,
} from './breaker/breaker-events.ts';
export type {
  CircuitBreakerOptions,
  ConsecutiveRule,
  FailureRateRule,
  RecoveryBackoff,
} from './breaker/breaker-options.ts';
export type { BreakerSnapshot } from './breaker/breaker-snapshot.ts';
export type { BreakerStats } from './breaker/breaker-stats.ts';
export { type BreakerVerdict, classifyFailure } from './breaker/breaker-verdict.ts';
export { CircuitBreaker, type ExecuteContext, type Isolation } from './breaker/circuit-breaker.ts';
export type { Permit } from './breaker/permit.ts';
export { Bulkhead, type BulkheadOptions } from './bulkhead.ts';
export { type FallbackChainOptions, fallbackChain, type GuardedModel } from './fallback-chain.ts';
export { bulkhead } from './limit-concurrency.ts';
export { rateLimit } from './rate-limit.ts';
export { type RateGrant, RateLimiter, type RateLimiterOptions, type RateUse } from './rate-limiter.ts';
export { type RetryContext, retry, withRetry } from './retry.ts';
export { RetryBudget, type RetryBudgetOptions } from './retry-budget.ts';
export type { RetryEvent, RetryOptions } from './retry-policy.ts';
export type { StreamTimes } from './stream-limits.ts';
export { type TimeoutOptions, timeout } from './timeout.ts';
export { type WithTimeoutOptions, withTimeout } from './with-timeout.ts';
