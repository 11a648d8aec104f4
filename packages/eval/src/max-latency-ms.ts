import { rejectUnknownKeys, requireNumber } from '@synapsekit/core';
import { comparison } from './compare.ts';
import { type CaseRun, checkApplyTo, type Metric, type MetricVerdict } from './metric.ts';

/** Options of `MaxLatencyMs`. */
export interface MaxLatencyMsOptions<Name extends string = string> {
  /** The longest that a case may take, in milliseconds. A time equal to it passes. */
  readonly threshold: number;
  /** Names of the cases that it judges. @default all cases of the suite */
  readonly applyTo?: readonly Name[] | undefined;
}

/**
 * Passes when a case takes at most `threshold` milliseconds: the measured time of the case's function, whatever it
 * reports. Cases under this metric run alone, so that they do not pay for each other.
 */
export class MaxLatencyMs<const Name extends string = never> implements Metric<Name> {
  readonly name: string = 'MaxLatencyMs';
  readonly exclusive: boolean = true;
  readonly applyTo: readonly Name[] | undefined;
  readonly #thresholdMs: number;

  /** @throws ConfigError for a threshold that is no number >= 0, an unknown option, or an empty `applyTo`. */
  constructor(options: MaxLatencyMsOptions<Name>) {
    rejectUnknownKeys(options, ['threshold', 'applyTo'], 'MaxLatencyMsOptions');
    this.#thresholdMs = requireNumber(options.threshold, 'threshold', { min: 0 });
    this.applyTo = checkApplyTo(options.applyTo, this.name);
  }

  evaluate({ latencyMs }: CaseRun): MetricVerdict {
    return {
      pass: latencyMs <= this.#thresholdMs,
      detail: comparison(latencyMs, this.#thresholdMs, formatMs, (ms) => `${ms} ms`),
    };
  }
}

/** Milliseconds for people: whole from 10 up, one decimal below. */
export function formatMs(ms: number): string {
  return `${ms >= 10 ? Math.round(ms) : Math.round(ms * 10) / 10} ms`;
}
