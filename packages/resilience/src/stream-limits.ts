import { CallTimeoutError, type Clock, type TimeoutPhase } from '@synapsekit/core';

/** Time limits of one stream, in milliseconds. */
export interface StreamTimes {
  readonly totalMs?: number | undefined;
  readonly firstTokenMs?: number | undefined;
  readonly idleMs?: number | undefined;
}

/**
 * Watches the times of one stream. Only time spent waiting for the source counts as idle, so a slow consumer does
 * not; only content ends a silence, so keep-alives and empty deltas do not. Idle time takes a timer per limit, not
 * per chunk. Where the process itself was busy, content may be lying in the socket when a limit runs out: one turn of
 * the event loop reads it before the source is blamed.
 */
export class StreamLimits {
  readonly #clock: Clock;
  readonly #idleLimitMs: number | undefined;
  readonly #expire: (error: CallTimeoutError) => void;
  #cancelTotal: (() => void) | undefined;
  #cancelFirstToken: (() => void) | undefined;
  #cancelIdle: (() => void) | undefined;
  #emitted = false;
  #stopped = false;
  /** Since when the source has been waited for. */
  #pullingSinceMs: number | undefined;
  /** Waited since the last content, in pulls that brought none. */
  #silentMs = 0;

  constructor(times: StreamTimes, clock: Clock, expire: (error: CallTimeoutError) => void) {
    const { totalMs, firstTokenMs, idleMs } = times;
    this.#clock = clock;
    this.#idleLimitMs = idleMs;
    this.#expire = expire;
    if (totalMs !== undefined) {
      this.#cancelTotal = clock.timer(totalMs, () => this.#expired('total', totalMs));
    }
    if (firstTokenMs !== undefined) {
      this.#cancelFirstToken = clock.timer(firstTokenMs, () => {
        setImmediate(() => {
          if (!this.#emitted) this.#expired('first-token', firstTokenMs);
        });
      });
    }
  }

  /** The source is asked for its next event. */
  pulling(): void {
    if (this.#idleLimitMs === undefined || !this.#emitted) return;
    this.#pullingSinceMs = this.#clock.monotonic();
    if (this.#cancelIdle === undefined) this.#armIdle(this.#idleLimitMs - this.#silentMs);
  }

  /** The source has answered. */
  pulled(isContent: boolean): void {
    if (isContent) {
      this.#cancelFirstToken?.();
      this.#emitted = true;
      this.#silentMs = 0;
    } else {
      this.#silentMs += this.#waitedMs();
    }
    this.#pullingSinceMs = undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTotal?.();
    this.#cancelFirstToken?.();
    this.#cancelIdle?.();
  }

  #waitedMs(): number {
    return this.#pullingSinceMs === undefined ? 0 : this.#clock.monotonic() - this.#pullingSinceMs;
  }

  #armIdle(ms: number): void {
    this.#cancelIdle = this.#clock.timer(ms, () => {
      this.#cancelIdle = undefined;
      if (this.#idleLeftMs() <= 0) setImmediate(() => this.#idleOver());
      else this.#idleOver();
    });
  }

  /** The timer was set some content ago, and the silence may be younger. Nobody waiting: the next pull arms it. */
  #idleOver(): void {
    if (this.#stopped || this.#pullingSinceMs === undefined || this.#cancelIdle !== undefined) return;
    const leftMs = this.#idleLeftMs();
    if (leftMs > 0) this.#armIdle(leftMs);
    else this.#expired('idle', this.#idleLimitMs ?? 0);
  }

  #idleLeftMs(): number {
    return (this.#idleLimitMs ?? Infinity) - this.#silentMs - this.#waitedMs();
  }

  #expired(phase: TimeoutPhase, timeoutMs: number): void {
    if (this.#stopped) return;
    this.stop();
    this.#expire(
      new CallTimeoutError(timeoutMessage(phase, timeoutMs), { phase, timeoutMs, emitted: this.#emitted }),
    );
  }
}

/** What a timeout tells people. */
export function timeoutMessage(phase: TimeoutPhase, ms: number): string {
  switch (phase) {
    case 'first-token':
      return `No content came within ${ms} ms, so the call was given up. Allow more time, or ask another model.`;
    case 'idle':
      return `The stream brought no content for ${ms} ms, so it was given up. Allow longer pauses, or ask again.`;
    default:
      return `The call took longer than ${ms} ms and was given up. Allow more time, or ask for less.`;
  }
}
