import {
  type Clock,
  ConfigError,
  type Random,
  rejectUnknownKeys,
  requireNumber,
  systemClock,
  systemRandom,
} from '@synapsekit/core';
import { steadyMonotonic } from '../steady-clock.ts';
import { type BreakerVerdict, classifyFailure } from './breaker-verdict.ts';
import { ConsecutiveFailures } from './consecutive-failures.ts';
import { FailureRate } from './failure-rate.ts';
import { FailureWindow } from './failure-window.ts';
import type { TripRule } from './trip-rule.ts';

/** Opens when the share of failed calls within the window is too high. */
export interface FailureRateRule {
  /** The share of failures that opens, above 0 and at most 1. */
  readonly failureRate: number;
  /** With fewer calls within the window nothing opens. @default 10 */
  readonly minimumCalls?: number | undefined;
}

/** Opens on so many failures in a row, however far apart. */
export interface ConsecutiveRule {
  readonly consecutive: number;
}

/** How the time in OPEN grows while probes keep failing. */
export interface RecoveryBackoff {
  /** Each failed probe multiplies the time by this. 1 keeps it constant. @default 2 */
  readonly factor?: number | undefined;
  /** The time never grows beyond this, in seconds. @default 300, or `recoveryTimeout` if that is longer */
  readonly maxSeconds?: number | undefined;
  /** Lengthens each time after the first by a random share of up to this, so that processes probe apart. @default 0.1 */
  readonly jitter?: number | undefined;
}

/** What a `CircuitBreaker` is built with. */
export interface CircuitBreakerOptions {
  /** Names the circuit in errors, events and reports: one breaker per provider, or per provider and model. */
  readonly name: string;
  /** So many failures within the window open the circuit. Not together with `rule`. @default 5 */
  readonly failureThreshold?: number | undefined;
  /** Length of the window, in seconds. Not with the `consecutive` rule. @default 60 */
  readonly windowSeconds?: number | undefined;
  /** How long the circuit stays OPEN before it lets a probe through, in seconds. @default 60 */
  readonly recoveryTimeout?: number | undefined;
  /** Another rule than counting failures within the window. */
  readonly rule?: FailureRateRule | ConsecutiveRule | undefined;
  /** Let the time in OPEN grow while probes fail. @default it stays `recoveryTimeout` */
  readonly recoveryBackoff?: RecoveryBackoff | undefined;
  /** How many probes HALF_OPEN admits; all must succeed to close, the first failure opens again. @default 1 */
  readonly halfOpenPermits?: number | undefined;
  /**
   * A probe that has not come back after so many milliseconds loses its place to the next caller, and its late
   * verdict is void. Each lapse doubles the lease, up to 16 times, so that a slow model can still close its circuit.
   * @default 60_000
   */
  readonly probeLeaseMs?: number | undefined;
  /**
   * What an error says about the provider's health. Not asked about aborts, which are neutral, nor about other
   * breakers' refusals. If it throws, the error counts as a failure.
   * @default classifyFailure
   */
  readonly classify?: ((error: unknown) => BreakerVerdict) | undefined;
  /**
   * Whether a result is good: false or an exception counts as a failure, and the caller has the result all the
   * same. For models it is given the `Generation`.
   */
  readonly validate?: ((result: unknown) => boolean | undefined) | undefined;
  /** Give refusals a stack trace: five times their cost, for debugging. @default false */
  readonly captureStack?: boolean | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
}

/** The options, checked and with their defaults, in milliseconds. */
export interface BreakerSettings {
  readonly name: string;
  readonly recoveryMs: number;
  readonly maxRecoveryMs: number;
  readonly factor: number;
  readonly jitter: number;
  readonly halfOpenPermits: number;
  readonly probeLeaseMs: number;
  readonly rule: TripRule;
  readonly classify: (error: unknown) => BreakerVerdict;
  readonly validate: ((result: unknown) => boolean | undefined) | undefined;
  readonly captureStack: boolean;
  readonly clock: Clock;
  readonly random: Random;
  /** Monotonic milliseconds, whatever the clock does. */
  readonly now: () => number;
}

const optionNames = [
  'name',
  'failureThreshold',
  'windowSeconds',
  'recoveryTimeout',
  'rule',
  'recoveryBackoff',
  'halfOpenPermits',
  'probeLeaseMs',
  'classify',
  'validate',
  'captureStack',
  'clock',
  'random',
] as const satisfies readonly (keyof CircuitBreakerOptions)[];

/** @throws ConfigError for an unknown option, a value out of range, or options that contradict each other. */
export function checkBreakerOptions(options: CircuitBreakerOptions): BreakerSettings {
  rejectUnknownKeys(options, optionNames, 'CircuitBreakerOptions');
  const {
    name,
    recoveryTimeout = 60,
    halfOpenPermits = 1,
    probeLeaseMs = 60_000,
    classify = classifyFailure,
    validate,
    captureStack = false,
    clock = systemClock,
    random = systemRandom,
  } = options;
  if (typeof name !== 'string' || name === '') {
    throw new ConfigError('A circuit breaker needs a name, such as that of its provider.', {
      option: 'name',
    });
  }
  const recoveryMs = requireNumber(recoveryTimeout, 'recoveryTimeout', { above: 0 }) * 1_000;
  const now = steadyMonotonic(clock);
  return {
    name,
    recoveryMs,
    ...checkBackoff(options.recoveryBackoff, recoveryMs),
    halfOpenPermits: requireNumber(halfOpenPermits, 'halfOpenPermits', { integer: true, min: 1 }),
    probeLeaseMs: requireNumber(probeLeaseMs, 'probeLeaseMs', { above: 0 }),
    rule: makeRule(options, now),
    classify,
    validate,
    captureStack,
    clock,
    random,
    now,
  };
}

function checkBackoff(
  backoff: RecoveryBackoff | undefined,
  recoveryMs: number,
): Pick<BreakerSettings, 'factor' | 'jitter' | 'maxRecoveryMs'> {
  if (backoff === undefined) return { factor: 1, jitter: 0, maxRecoveryMs: recoveryMs };
  rejectUnknownKeys(backoff, ['factor', 'maxSeconds', 'jitter'], 'recoveryBackoff');
  const { factor = 2, maxSeconds = Math.max(300, recoveryMs / 1_000), jitter = 0.1 } = backoff;
  const longest = requireNumber(maxSeconds, 'recoveryBackoff.maxSeconds', { min: recoveryMs / 1_000 });
  return {
    factor: requireNumber(factor, 'recoveryBackoff.factor', { min: 1 }),
    jitter: requireNumber(jitter, 'recoveryBackoff.jitter', { min: 0, max: 1 }),
    maxRecoveryMs: longest * 1_000,
  };
}

function makeRule(options: CircuitBreakerOptions, now: () => number): TripRule {
  const { rule, failureThreshold, windowSeconds } = options;
  const windowMs = requireNumber(windowSeconds ?? 60, 'windowSeconds', { above: 0 }) * 1_000;
  if (rule === undefined) {
    // The ring of failure times is allocated at once: 8 bytes each.
    const threshold = { integer: true, min: 1, max: 1_000_000 };
    return new FailureWindow(requireNumber(failureThreshold ?? 5, 'failureThreshold', threshold), windowMs);
  }
  if (failureThreshold !== undefined) throw unread('failureThreshold');
  if ('consecutive' in rule) {
    rejectUnknownKeys(rule, ['consecutive'], 'rule');
    if (windowSeconds !== undefined) throw unread('windowSeconds');
    return new ConsecutiveFailures(
      requireNumber(rule.consecutive, 'rule.consecutive', { integer: true, min: 1 }),
    );
  }
  rejectUnknownKeys(rule, ['failureRate', 'minimumCalls'], 'rule');
  const { failureRate, minimumCalls = 10 } = rule;
  return new FailureRate(
    requireNumber(failureRate, 'rule.failureRate', { above: 0, max: 1 }),
    requireNumber(minimumCalls, 'rule.minimumCalls', { integer: true, min: 1 }),
    windowMs,
    now,
  );
}

/** A limit that nobody reads must not look like one. */
function unread(option: string): ConfigError {
  return new ConfigError(`${option} means nothing beside this rule: leave one of the two out.`, { option });
}
