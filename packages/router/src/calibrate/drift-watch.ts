import { ConfigError, requireNumber } from '@synapsekit/core';
import { shareBounds } from './binomial.ts';
import type { CalibrationJson } from './calibration.ts';

/** Live traffic is not like the rows that a router was calibrated on. */
export interface RouteDrift {
  /** What is off: how many calls go to the strong model, or what calls cost. */
  readonly kind: 'strong-share' | 'cost';
  /** What the calibration had. */
  readonly expected: number;
  /** What the last window had. */
  readonly live: number;
  /** Calls in that window. */
  readonly calls: number;
}

/** What a watch has seen. */
export interface DriftStatus {
  /** Decisions since the start. */
  readonly decisions: number;
  /** Share of strong calls among them; `undefined` before the first. */
  readonly strongShare: number | undefined;
  /** Mean cost of those that have ended with a known cost, in dollars. */
  readonly costUsd: number | undefined;
  readonly expected: { readonly strongShare: number; readonly costUsd: number | undefined };
  /** What the last whole window found; empty as long as all is well. */
  readonly drift: readonly RouteDrift[];
  /** Windows that have been judged. */
  readonly windows: number;
}

/** How a watch judges. */
export interface DriftWatchOptions {
  /** Calls in a window: it is judged when it is full, and the next one begins. @default 200 */
  readonly window?: number | undefined;
  /** Chance of a false alarm in a window, at most, for each kind. @default 0.001 */
  readonly falseAlarmRate?: number | undefined;
}

/** Compares live calls with a calibration, window by window. Memory does not grow. */
export class DriftWatch {
  readonly #calibration: CalibrationJson;
  readonly #window: number;
  readonly #alpha: number;
  readonly #onDrift: (drift: RouteDrift) => void;
  #decisions = 0;
  #strong = 0;
  #windowDecisions = 0;
  #windowStrong = 0;
  #costs = { count: 0, mean: 0 };
  #windowCosts = { count: 0, mean: 0, squares: 0 };
  #windows = 0;
  #share: RouteDrift | undefined;
  #cost: RouteDrift | undefined;

  /** @throws ConfigError for options out of range. */
  constructor(
    calibration: CalibrationJson,
    { window = 200, falseAlarmRate = 0.001 }: DriftWatchOptions,
    onDrift: (drift: RouteDrift) => void,
  ) {
    this.#calibration = calibration;
    this.#window = requireNumber(window, 'drift.window', { integer: true, min: 20 });
    this.#alpha = requireNumber(falseAlarmRate, 'drift.falseAlarmRate', { above: 0, max: 0.1 });
    if (typeof onDrift !== 'function')
      throw new ConfigError('onDrift must be a function.', { option: 'onDrift' });
    this.#onDrift = onDrift;
  }

  /** A call was sent to the strong model, or to the weak one. */
  decided(strong: boolean): void {
    this.#decisions++;
    this.#windowDecisions++;
    if (strong) {
      this.#strong++;
      this.#windowStrong++;
    }
    if (this.#windowDecisions === this.#window) this.#judgeShare();
  }

  /** A call has cost so many dollars. */
  cost(costUsd: number): void {
    this.#costs.count++;
    this.#costs.mean += (costUsd - this.#costs.mean) / this.#costs.count;
    const seen = this.#windowCosts;
    seen.count++;
    const before = costUsd - seen.mean;
    seen.mean += before / seen.count;
    seen.squares += before * (costUsd - seen.mean);
    if (seen.count === this.#window) this.#judgeCost();
  }

  status(): DriftStatus {
    const { point } = this.#calibration;
    return {
      decisions: this.#decisions,
      strongShare: this.#decisions === 0 ? undefined : this.#strong / this.#decisions,
      costUsd: this.#costs.count === 0 ? undefined : this.#costs.mean,
      expected: { strongShare: point.strongShare, costUsd: point.costUsd },
      drift: [this.#share, this.#cost].filter((drift) => drift !== undefined),
      windows: this.#windows,
    };
  }

  /** Off when the exact bounds of the window and of the calibration do not meet. */
  #judgeShare(): void {
    const { point, rows } = this.#calibration;
    const live = shareBounds(this.#windowStrong, this.#windowDecisions, this.#alpha / 4);
    const then = shareBounds(Math.round(point.strongShare * rows), rows, this.#alpha / 4);
    const off = live.low > then.high || live.high < then.low;
    const drift: RouteDrift = {
      kind: 'strong-share',
      expected: point.strongShare,
      live: this.#windowStrong / this.#windowDecisions,
      calls: this.#windowDecisions,
    };
    this.#windows++;
    this.#windowDecisions = 0;
    this.#windowStrong = 0;
    const before = this.#share;
    this.#share = off ? drift : undefined;
    if (off && before === undefined) this.#onDrift(drift);
  }

  /** Off when the mean of the window is too many standard errors away. */
  #judgeCost(): void {
    const { point, rows, costSdUsd = 0 } = this.#calibration;
    const { count, mean, squares } = this.#windowCosts;
    this.#windowCosts = { count: 0, mean: 0, squares: 0 };
    if (point.costUsd === undefined) return;
    const error = Math.sqrt(squares / count / count + costSdUsd ** 2 / rows);
    // Costs have long tails: Chebyshev would ask for more, a normal law for less.
    const limit = Math.sqrt(-2 * Math.log(this.#alpha / 2)) * 1.5;
    const off = Math.abs(mean - point.costUsd) > Math.max(limit * error, 1e-9 * point.costUsd);
    const drift: RouteDrift = { kind: 'cost', expected: point.costUsd, live: mean, calls: count };
    const before = this.#cost;
    this.#cost = off ? drift : undefined;
    if (off && before === undefined) this.#onDrift(drift);
  }
}
