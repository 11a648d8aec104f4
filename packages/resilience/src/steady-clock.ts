import { type Clock, requireNumber } from '@synapsekit/core';

/**
 * Monotonic milliseconds that stay so whatever the injected clock does: a step back counts as no time gone by (and
 * time goes on from there), a reading that is no finite number counts as the last one.
 *
 * @throws ConfigError when the clock cannot even tell the first time.
 */
export function steadyMonotonic(clock: Clock): () => number {
  let last = requireNumber(clock.monotonic(), 'clock.monotonic()');
  let lostMs = 0;
  return () => {
    const reading = clock.monotonic();
    if (reading >= last && reading !== Infinity) last = reading;
    else if (reading < last && reading !== -Infinity) {
      lostMs += last - reading;
      last = reading;
    }
    return last + lostMs;
  };
}
