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
} from './breaker-events.ts';
export type {
  CircuitBreakerOptions,
  ConsecutiveRule,
  FailureRateRule,
  RecoveryBackoff,
} from './breaker-options.ts';
export type { BreakerSnapshot } from './breaker-snapshot.ts';
export type { BreakerStats } from './breaker-stats.ts';
export { type BreakerVerdict, classifyFailure } from './breaker-verdict.ts';
export { Bulkhead, type BulkheadOptions } from './bulkhead.ts';
export { CircuitBreaker, type ExecuteContext, type Isolation } from './circuit-breaker.ts';
export { type FallbackChainOptions, fallbackChain, type GuardedModel } from './fallback-chain.ts';
export { bulkhead } from './limit-concurrency.ts';
export type { Permit } from './permit.ts';
export { rateLimit } from './rate-limit.ts';
export { type RateGrant, RateLimiter, type RateLimiterOptions, type RateUse } from './rate-limiter.ts';
export { type RetryContext, retry, withRetry } from './retry.ts';
export { RetryBudget, type RetryBudgetOptions } from './retry-budget.ts';
export type { RetryEvent, RetryOptions } from './retry-policy.ts';
export type { StreamTimes } from './stream-limits.ts';
export { type TimeoutOptions, timeout } from './timeout.ts';
export { type WithTimeoutOptions, withTimeout } from './with-timeout.ts';
