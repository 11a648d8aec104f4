import { CallTimeoutError, type Clock } from '@synapsekit/core';
import { isAssertionError } from './assertion-error.ts';
import type { CaseScope } from './case-scope.ts';
import type { CostMeter } from './cost-meter.ts';
import { reportError } from './error-report.ts';
import type { CaseEnding } from './result.ts';

/** How long aborted calls get to end, so that what they cost is still counted. */
const graceMs = 500;

/** The cases that are running: one listener on the signal of the run interrupts all of them. */
export class RunningCases {
  readonly signal: AbortSignal;
  readonly #interrupts: Set<() => void> = new Set();

  constructor(signal: AbortSignal) {
    this.signal = signal;
    signal.addEventListener('abort', () => {
      for (const interrupt of this.#interrupts) interrupt();
    });
  }

  /** Calls `interrupt` when the run is interrupted, unless that was taken back. */
  add(interrupt: () => void): void {
    this.#interrupts.add(interrupt);
  }

  delete(interrupt: () => void): void {
    this.#interrupts.delete(interrupt);
  }
}

/** Watches over a running case: its time, interruptions, and errors that nobody catches. */
export class CaseWatch {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #running: RunningCases;
  readonly #controller = new AbortController();
  readonly #interrupt = (): void => this.#abort(this.#running.signal.reason);
  readonly #startedMs: number;
  readonly #cancelTimer: () => void;
  /** Takes errors that nobody catches. */
  readonly scope: CaseScope = { crash: (error, reason) => this.#takeCrash(error, reason) };
  #latencyMs: number | undefined;
  #crash: { readonly error: unknown; readonly reason: string } | undefined;
  /** What did not end in time. */
  #late: string | undefined;
  #part = 'it';
  #ending: CaseEnding | undefined;
  #giveUp: ((reason: unknown) => void) | undefined;

  constructor(options: {
    readonly clock: Clock;
    readonly timeoutMs: number;
    readonly running: RunningCases;
  }) {
    this.#clock = options.clock;
    this.#timeoutMs = options.timeoutMs;
    this.#running = options.running;
    this.#startedMs = this.#clock.monotonic();
    if (options.running.signal.aborted) this.#interrupt();
    else options.running.add(this.#interrupt);
    this.#cancelTimer = this.#clock.timer(this.#timeoutMs, () => this.#timeOut());
  }

  /** Aborts when the case has to stop. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Runs a part of the case; rejects at once when it has to stop, whatever the part does. */
  over<T>(part: () => Promise<T>, name = 'it'): Promise<T> {
    this.#part = name;
    const { signal } = this.#controller;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#giveUp = reject;
    if (signal.aborted) reject(signal.reason);
    part().then(resolve, reject); // what comes too late is handled, and changes nothing
    return promise;
  }

  /** Names what runs from now on within the part. */
  during(name: string): void {
    this.#part = name;
  }

  /** Milliseconds that the case took: until the first call of this. */
  stopTheClock(): number {
    // To the microsecond: what is printed and what is judged are the same.
    this.#latencyMs ??= Math.round((this.#clock.monotonic() - this.#startedMs) * 1_000) / 1_000;
    return this.#latencyMs;
  }

  /** Gives the case up because of `error`: what it has going is aborted. */
  async abandon(error: unknown, meter: CostMeter): Promise<CaseEnding> {
    const ending = this.#endingOf(error);
    this.#abort(error);
    const enough = new AbortController();
    const grace = this.#clock.sleep(graceMs, { signal: enough.signal }).catch(() => {});
    await Promise.race([meter.idle(), grace]);
    enough.abort('enough');
    return ending;
  }

  end(ending: CaseEnding): void {
    this.#ending = ending;
    this.#cancelTimer();
    this.#running.delete(this.#interrupt);
  }

  #endingOf(error: unknown): CaseEnding {
    const latencyMs = this.stopTheClock();
    if (this.#crash !== undefined) {
      return {
        status: 'error',
        reason: this.#crash.reason,
        error: reportError(this.#crash.error),
      };
    }
    if (this.#late !== undefined) {
      return {
        status: 'error',
        reason: `${this.#late} did not end within ${this.#timeoutMs} ms; a longer time is set with timeoutMs`,
      };
    }
    if (this.#running.signal.aborted) {
      return { status: 'not-run', reason: `it was interrupted after ${Math.round(latencyMs)} ms` };
    }
    return { status: isAssertionError(error) ? 'failed' : 'error', error: reportError(error) };
  }

  /** The first reason counts. */
  #abort(reason: unknown): void {
    this.#controller.abort(reason);
    this.#giveUp?.(this.#controller.signal.reason);
  }

  #timeOut(): void {
    this.#late = this.#part;
    this.#abort(
      new CallTimeoutError(`The eval case did not end within ${this.#timeoutMs} ms.`, {
        phase: 'total',
        timeoutMs: this.#timeoutMs,
      }),
    );
  }

  #takeCrash(error: unknown, reason: string): boolean {
    // What a case that is lost already leaves behind is not worth another word.
    if (this.#ending !== undefined) return this.#ending.status !== 'passed';
    this.#crash ??= { error, reason };
    this.#abort(error);
    return true;
  }
}
