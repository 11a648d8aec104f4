import { breakerChannel, isSynapseError } from '@synapsekit/core';
import { BreakerListeners, type CircuitState, type TransitionReason } from './breaker-events.ts';
import type { BreakerSettings } from './breaker-options.ts';
import { BreakerTally } from './breaker-stats.ts';
import type { BreakerVerdict } from './breaker-verdict.ts';
import { Permit, type PermitIssuer } from './permit.ts';

/** Longer than this no verdict keeps a circuit open. */
const maxOpenMs = 24 * 60 * 60_000;
const maxLeaseFactor = 16;

interface Probe {
  readonly permit: Permit;
  readonly leaseUntilMs: number;
}

const none: readonly Probe[] = [];

/**
 * The state machine behind `CircuitBreaker`. It owns no timer: what time does to it is seen when somebody comes. It
 * tells its events last, when its state is whole, so a listener may call anything.
 */
export class Circuit implements PermitIssuer {
  readonly settings: BreakerSettings;
  readonly listeners: BreakerListeners;
  readonly tally: BreakerTally = new BreakerTally();
  /** Rises with every change of state: verdicts about calls that were admitted before it are void. */
  generation = 0;
  /** CLOSED and not isolated: calls pass without a question. */
  passes = true;
  mode: CircuitState = 'CLOSED';
  lastFailure: unknown;
  /** How many times in a row it opened without closing. */
  openings = 0;
  #openUntilMs = 0;
  #isolations = 0;
  /** Probes that are out, and when each loses its place. */
  #probes: readonly Probe[] = none;
  #probesSucceeded = 0;
  #leaseFactor = 1;

  constructor(settings: BreakerSettings) {
    this.settings = settings;
    this.listeners = new BreakerListeners(settings.name);
  }

  get isolated(): boolean {
    return this.#isolations > 0;
  }

  /** The state as a caller would find it. Changes nothing. */
  get state(): CircuitState {
    if (this.isolated) return 'OPEN';
    return this.mode === 'OPEN' && this.openForMs === 0 ? 'HALF_OPEN' : this.mode;
  }

  /** Milliseconds of OPEN that are left. */
  get openForMs(): number {
    return this.mode === 'OPEN' ? Math.max(0, this.#openUntilMs - this.settings.now()) : 0;
  }

  /** Milliseconds until a caller is let through, for a probe that is out at the latest; 0 is now. */
  get retryAfterMs(): number | undefined {
    if (this.isolated) return undefined;
    if (this.mode !== 'HALF_OPEN' || this.#hasPlace()) return this.openForMs;
    return Math.max(
      0,
      Math.min(...this.#probes.map(({ leaseUntilMs }) => leaseUntilMs)) - this.settings.now(),
    );
  }

  /** Admits a call, or does not. */
  admit(): Permit | undefined {
    if (this.passes) return new Permit(this, this.generation, false);
    if (this.isolated) return this.#refuse();
    const nowMs = this.settings.now();
    if (this.mode === 'OPEN') {
      if (nowMs < this.#openUntilMs) return this.#refuse();
      this.#enter('HALF_OPEN');
      const permit = this.#admitProbe(nowMs);
      this.#tell('OPEN', 'HALF_OPEN', 'recovery-timeout');
      return permit;
    }
    if (!this.#hasPlace()) this.#lapse(nowMs);
    return this.#hasPlace() ? this.#admitProbe(nowMs) : this.#refuse();
  }

  succeeded(generation: number, probe: Permit | undefined, result?: { readonly value: unknown }): void {
    if (!this.#counts(generation, probe)) return;
    const flaw = result && this.#flawOf(result.value);
    if (generation !== this.generation) return; // `validate` changed the circuit
    if (flaw === undefined) this.#success(probe);
    else this.#failure(probe, flaw.error);
  }

  failed(generation: number, probe: Permit | undefined, error: unknown): void {
    if (!this.#counts(generation, probe)) return;
    const verdict = this.#classify(error);
    if (generation !== this.generation) return; // `classify` changed the circuit
    if (verdict === 'neutral') this.tally.neutral++;
    else if (verdict === 'success') this.#success(probe);
    else if (verdict === 'failure') this.#failure(probe, error);
    else {
      this.tally.failures++;
      this.lastFailure = error;
      this.#open(verdict.openMs, 'verdict');
    }
    if (isFatal(error)) this.listeners.emit('fatal', () => ({ breaker: this.settings.name, error }));
  }

  neutral(generation: number, probe: Permit | undefined): void {
    if (this.#counts(generation, probe)) this.tally.neutral++;
  }

  /** Opens by hand. Of two times the later one counts. */
  openByHand(ms: number): void {
    this.openings = Math.max(1, this.openings);
    this.#open(Math.max(ms, this.openForMs), 'manual');
  }

  close(reason: TransitionReason): void {
    const from = this.mode;
    this.openings = 0;
    this.lastFailure = undefined;
    this.settings.rule.clear();
    this.#enter('CLOSED');
    if (from !== 'CLOSED') this.#tell(from, 'CLOSED', reason);
  }

  /** Shuts the circuit until the returned function is called (again and again does no harm). Isolations add up. */
  isolate(): () => void {
    this.#isolations++;
    if (this.#isolations === 1) {
      this.#enter(this.mode);
      this.#tell(this.mode, 'ISOLATED', 'manual');
    }
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#isolations--;
      if (this.isolated) return;
      this.passes = this.mode === 'CLOSED';
      this.#tell('ISOLATED', this.mode, 'manual');
    };
  }

  /** Takes up a state that was saved. */
  restore(mode: 'CLOSED' | 'OPEN', openMs: number, openings: number): void {
    const from = this.mode;
    this.openings = mode === 'OPEN' ? openings : 0;
    this.lastFailure = undefined;
    if (mode === 'OPEN') this.#openUntilMs = this.settings.now() + openMs;
    this.#enter(mode);
    if (from !== mode) this.#tell(from, mode, 'restored', mode === 'OPEN' ? openMs : undefined);
  }

  /** Whether a verdict is about the circuit as it is; takes the probe's place back. */
  #counts(generation: number, probe: Permit | undefined): boolean {
    const counts = generation === this.generation && (probe === undefined || this.#takeBack(probe));
    if (!counts) this.tally.late++;
    return counts;
  }

  /** False if the probe has lost its place. */
  #takeBack(probe: Permit): boolean {
    const others = this.#probes.filter(({ permit }) => permit !== probe);
    const wasOut = others.length < this.#probes.length;
    this.#probes = others;
    return wasOut;
  }

  #success(probe: Permit | undefined): void {
    this.tally.successes++;
    if (probe === undefined) {
      if (this.settings.rule.watchesSuccess) this.settings.rule.success();
      return;
    }
    this.#probesSucceeded++;
    if (this.#probesSucceeded >= this.settings.halfOpenPermits) this.close('probe-succeeded');
  }

  #failure(probe: Permit | undefined, error: unknown): void {
    this.tally.failures++;
    this.lastFailure = error;
    const isProbe = probe !== undefined;
    if (!isProbe && !this.settings.rule.failure(this.settings.now())) return;
    const openMs = this.#recoveryMs();
    this.openings++;
    this.#open(openMs, isProbe ? 'probe-failed' : 'failures');
  }

  /** The first time is `recoveryTimeout` exactly, as promised; each failed probe may lengthen the next. */
  #recoveryMs(): number {
    const { recoveryMs, maxRecoveryMs, factor, jitter, random } = this.settings;
    if (this.openings === 0) return recoveryMs;
    return Math.min(maxRecoveryMs, recoveryMs * factor ** this.openings) * (1 + jitter * random());
  }

  #open(ms: number, reason: TransitionReason): void {
    const from = this.mode;
    this.#openUntilMs = this.settings.now() + ms;
    this.#enter('OPEN');
    this.#tell(from, 'OPEN', reason, ms);
  }

  #enter(mode: CircuitState): void {
    this.mode = mode;
    this.generation++;
    this.passes = mode === 'CLOSED' && !this.isolated;
    this.#probes = none;
    this.#probesSucceeded = 0;
    this.#leaseFactor = 1;
  }

  #hasPlace(): boolean {
    return this.#probes.length + this.#probesSucceeded < this.settings.halfOpenPermits;
  }

  #admitProbe(nowMs: number): Permit {
    const permit = new Permit(this, this.generation, true);
    const leaseUntilMs = nowMs + this.settings.probeLeaseMs * this.#leaseFactor;
    this.#probes = [...this.#probes, { permit, leaseUntilMs }];
    return permit;
  }

  /** Takes their places from the probes that have been out for too long. */
  #lapse(nowMs: number): void {
    const inTime = this.#probes.filter(({ leaseUntilMs }) => leaseUntilMs > nowMs);
    if (inTime.length === this.#probes.length) return;
    this.#probes = inTime;
    this.#leaseFactor = Math.min(maxLeaseFactor, this.#leaseFactor * 2);
  }

  #refuse(): undefined {
    this.tally.refusals++;
    this.listeners.emit('refusal', () => ({
      breaker: this.settings.name,
      state: this.refusalState,
      retryAfterMs: this.retryAfterMs,
    }));
    return undefined;
  }

  get refusalState(): 'OPEN' | 'HALF_OPEN' | 'ISOLATED' {
    if (this.isolated) return 'ISOLATED';
    return this.mode === 'HALF_OPEN' ? 'HALF_OPEN' : 'OPEN';
  }

  /** Total: an exception or nonsense counts as a failure and is reported. */
  #classify(error: unknown): BreakerVerdict {
    if (isSynapseError(error, 'circuit-open')) return 'neutral'; // another breaker's refusal
    try {
      const verdict = this.settings.classify(error);
      if (verdict === 'neutral' || verdict === 'success' || verdict === 'failure') return verdict;
      if (verdict.openMs >= 0) return { openMs: Math.min(verdict.openMs, maxOpenMs) };
      throw new TypeError('classify returned no verdict');
    } catch (fault) {
      this.listeners.fault('classify', fault);
      return 'failure';
    }
  }

  /** What `validate` has against a result. */
  #flawOf(value: unknown): { readonly error: unknown } | undefined {
    try {
      return this.settings.validate?.(value) === false ? { error: undefined } : undefined;
    } catch (error) {
      this.listeners.fault('validate', error);
      return { error };
    }
  }

  #tell(
    from: CircuitState | 'ISOLATED',
    to: CircuitState | 'ISOLATED',
    reason: TransitionReason,
    openMs?: number,
  ): void {
    const breaker = this.settings.name;
    this.tally.transitions++;
    breakerChannel.publish(() => ({ version: 1, breaker, from, to, reason }));
    this.listeners.emit('transition', () => ({
      breaker,
      from,
      to,
      reason,
      ...(openMs !== undefined && { openMs }),
      ...(to === 'OPEN' && this.lastFailure !== undefined && { cause: this.lastFailure }),
    }));
  }
}

function isFatal(error: unknown): boolean {
  if (!isSynapseError(error, 'provider')) return false;
  return error.kind === 'auth' || error.kind === 'permission' || error.kind === 'quota';
}
