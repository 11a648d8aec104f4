import type { CircuitState } from './breaker-events.ts';

/** What a breaker has seen since it was made, or `reset`. */
export interface BreakerStats {
  readonly state: CircuitState;
  readonly isolated: boolean;
  /** Calls that ended well. A stream that was a probe counts twice: its first content closed the circuit. */
  readonly successes: number;
  /** Calls that counted as failures. */
  readonly failures: number;
  /** Calls that said nothing about the provider. */
  readonly neutral: number;
  /** Verdicts that came after the circuit had changed, or after the probe's lease: void. */
  readonly late: number;
  /** Calls that were refused. */
  readonly refusals: number;
  /** Changes of state. */
  readonly transitions: number;
}

/** The counters: plain numbers. */
export class BreakerTally {
  successes = 0;
  failures = 0;
  neutral = 0;
  late = 0;
  refusals = 0;
  transitions = 0;

  clear(): void {
    Object.assign(this, new BreakerTally());
  }
}
