import type { Clock } from '../clock.ts';
import type { TimeoutPhase } from '../errors.ts';
import type { TimeLimits } from '../options.ts';

/** Watches the time limits of one attempt. */
export interface TimeWatch {
  /** The request goes out: the limits in total and until the first content run from now. */
  sent(): void;
  /** Somebody waits for the next piece: time without content counts from now, if it does not already. */
  waiting(): void;
  /** A piece came, whatever is in it: while a consumer looks at it, no time counts. */
  arrived(): void;
  /** Content came, and may now be with a consumer who takes his time. */
  content(): void;
  /** Stops all timers. */
  stop(): void;
}

/**
 * A watch that calls `expire`, at most once, when a limit runs out. A slow consumer does not use up the idle limit:
 * it runs only while somebody waits. Chunks without content do not reset it.
 */
export function watchTime(
  clock: Clock,
  limits: TimeLimits,
  expire: (phase: TimeoutPhase, limitMs: number) => void,
): TimeWatch {
  const { timeoutMs, firstTokenTimeoutMs, idleTimeoutMs } = limits;
  if (timeoutMs === undefined && firstTokenTimeoutMs === undefined && idleTimeoutMs === undefined) {
    return unlimited;
  }
  let stopTotal = (): void => {};
  let stopFirst = (): void => {};
  let stopIdle: (() => void) | undefined;
  let begun = false;
  /** Waited since the last content, for pieces that brought none. */
  let silentMs = 0;
  let waitingSinceMs = 0;

  const stop = (): void => {
    stopTotal();
    stopFirst();
    stopIdle?.();
    stopIdle = undefined;
  };
  const start = (phase: TimeoutPhase, limitMs: number | undefined, leftMs = limitMs): (() => void) => {
    if (limitMs === undefined || leftMs === undefined) return () => {};
    const expired = (): void => {
      stop();
      expire(phase, limitMs);
    };
    // Where the process itself was busy past the limit, the piece may be lying in the socket: one more turn of the
    // event loop reads it before the provider is blamed.
    let cancel = clock.timer(leftMs, () => {
      if (phase === 'total') expired();
      else cancel = clock.timer(0, expired);
    });
    return () => cancel();
  };

  return {
    sent() {
      stopTotal = start('total', timeoutMs);
      stopFirst = start('first-token', firstTokenTimeoutMs);
    },
    waiting() {
      if (!begun || idleTimeoutMs === undefined || stopIdle !== undefined) return;
      waitingSinceMs = clock.monotonic();
      stopIdle = start('idle', idleTimeoutMs, idleTimeoutMs - silentMs);
    },
    arrived() {
      if (stopIdle === undefined) return;
      stopIdle();
      stopIdle = undefined;
      silentMs += clock.monotonic() - waitingSinceMs;
    },
    content() {
      begun = true;
      stopFirst();
      stopIdle?.();
      stopIdle = undefined;
      silentMs = 0;
    },
    stop,
  };
}

const unlimited: TimeWatch = { sent() {}, waiting() {}, arrived() {}, content() {}, stop() {} };
